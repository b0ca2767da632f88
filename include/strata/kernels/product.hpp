#pragma once

#include <algorithm>
#include <array>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/prefetch.hpp>
#include <strata/kernels/tile.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A matrix of `lanes` outputs by `depth` inputs, and a bias for each output, laid out as the tile
/// reads it. The lanes are cut into blocks. A block has as many registers as a tile takes; the last
/// lanes are cut into blocks of one register where that needs less padding. A block holds the
/// biases of its lanes, then for each k the weights of its lanes, padded with zeros.
template <class Scalar>
class PackedMatrix {
 public:
  static constexpr Index width = Pack<Scalar>::width;
  static constexpr Index wide = tile_vectors<Scalar> * width;

  /// Packs element(lane, k) and bias(lane).
  template <class Element, class Bias>
  void pack(Index lanes, Index depth, Element element, Bias bias) {
    lanes_ = lanes;
    depth_ = depth;
    values_.resize(padded<Scalar>(lanes) * (1 + depth));
    Scalar* to = values_.data();
    // The inputs are packed 64 at a time, so that this part of a block stays in the first cache
    // whether element() reads along the rows or along the columns of its matrix.
    constexpr Index tile = 64;
    for (Index first = 0; first < lanes; first += block_size(first)) {
      const Index size = block_size(first);
      const Index used = (std::min)(size, lanes - first);
      for (Index lane = 0; lane < size; ++lane) {
        *to++ = lane < used ? bias(first + lane) : Scalar(0);
      }
      for (Index start = 0; start < depth; start += tile) {
        const Index end = (std::min)(start + tile, depth);
        for (Index lane = 0; lane < size; ++lane) {
          for (Index k = start; k < end; ++k) {
            to[(k - start) * size + lane] = lane < used ? element(first + lane, k) : Scalar(0);
          }
        }
        to += (end - start) * size;
      }
    }
  }

  template <class Element>
  void pack(Index lanes, Index depth, Element element) {
    pack(lanes, depth, element, [](Index) { return Scalar(0); });
  }

  [[nodiscard]] Index lanes() const noexcept { return lanes_; }
  [[nodiscard]] Index depth() const noexcept { return depth_; }

  /// Lanes of the block that begins at lane `first`: `wide` or `width`.
  [[nodiscard]] Index block_size(Index first) const noexcept {
    return lanes_ - first > wide - width ? wide : width;
  }

  [[nodiscard]] const Scalar* bias(Index first) const noexcept {
    return values_.data() + first * (1 + depth_);
  }
  [[nodiscard]] const Scalar* weights(Index first) const noexcept {
    return bias(first) + block_size(first);
  }

 private:
  Buffer<Scalar> values_;
  Index lanes_ = 0;
  Index depth_ = 0;
};

/// to(c)[lane] = bias[lane] + sum over k of matrix(lane, k) * column(c)[k], for all columns c.
///
/// A column may lie in several places of memory: column(c, segment) points to a segment of `length`
/// numbers. The last segment may be shorter.
template <class Scalar, class Column, class To>
void multiply(const PackedMatrix<Scalar>& matrix, Index columns, Index length, Column column,
              To to) {
  constexpr Index wide = PackedMatrix<Scalar>::wide;
  // The most segments that one tile runs through.
  constexpr Index most = 8;
  std::array<const Scalar*, static_cast<std::size_t>(most * tile_chunk)> pointers;
  std::array<Scalar, static_cast<std::size_t>(tile_chunk * wide)> tail;
  for_chunks(columns, [&](Index start, Index count) {
    for (Index k = 0; k < matrix.depth(); k += most * length) {
      std::array<TileSegment<Scalar>, static_cast<std::size_t>(most)> in;
      Index segments = 0;
      for (; segments < most && k + segments * length < matrix.depth(); ++segments) {
        const Scalar** const to_columns = pointers.data() + segments * tile_chunk;
        for (Index c = 0; c < count; ++c) to_columns[c] = column(start + c, k / length + segments);
        in[static_cast<std::size_t>(segments)] = {
            .depth = (std::min)(length, matrix.depth() - k - segments * length),
            .step = 1,
            .columns = to_columns};
      }
      for (Index first = 0; first < matrix.lanes(); first += matrix.block_size(first)) {
        const Index block = matrix.block_size(first);
        const bool whole = block <= matrix.lanes() - first;
        const auto sums = [&](Index c) {
          return whole ? to(start + c) + first : tail.data() + c * block;
        };
        const auto before = [&](Index c) -> const Scalar* {
          return k == 0 ? matrix.bias(first) : sums(c);
        };
        const TileWeights<Scalar> weights{matrix.weights(first) + k * block, block};
        if (block == wide) {
          multiply_columns<tile_vectors<Scalar>>(in.data(), segments, count, weights, before, sums);
        } else {
          multiply_columns<1>(in.data(), segments, count, weights, before, sums);
        }
        if (whole || k + most * length < matrix.depth()) continue;
        for (Index c = 0; c < count; ++c) {
          std::copy_n(sums(c), matrix.lanes() - first, to(start + c) + first);
        }
      }
    }
  });
}

/// Adds to the gradient of a weight matrix: sum[j][lane] += panel[r][lane] * row(r)[j], summed over
/// all rows r, for all columns j. row(r) was the input of the matrix; pack_strips has packed the
/// rows into `strips`. `panel` has the derivatives by the outputs, `Registers` registers a row.
/// `next` prefetches the numbers that the call after this one reads, in tile_count() shares.
template <int Registers, class Scalar>
void add_outer_product(const Scalar* panel, Index rows, Index columns, const Scalar* strips,
                       Scalar* sum, Prefetch<Scalar> next = {}) {
  constexpr Index lanes = Registers * Pack<Scalar>::width;
  for_vector_blocks<Scalar, Registers>([&](auto first, auto vectors) {
    const Index lane = first * Pack<Scalar>::width;
    ColumnGroups(columns).for_each([&](Index begin, int size) {
      next.advance();
      const Scalar* values[tile_columns];
      Scalar* out[tile_columns];
      for (int n = 0; n < size; ++n) {
        values[n] = strips + begin * rows + n;
        out[n] = sum + (begin + n) * lanes + lane;
      }
      const TileSegment<Scalar> in{.depth = rows, .step = size, .columns = values};
      tile_for<Scalar, vectors>(size)(&in, 1, 0, {panel + lane, lanes}, out, out);
    });
  });
}

/// Packs the rows row(r) in the order in which add_outer_product reads them: the columns of a tile
/// lie side by side. With `ones` a column of ones follows, whose product is the sum of all rows of
/// the panel: the gradient of a bias.
template <class Scalar, class Row>
void pack_strips(Index rows, Index columns, bool ones, Row row, Buffer<Scalar>& strips) {
  const Index all = columns + (ones ? 1 : 0);
  strips.resize(rows * all);
  const ColumnGroups groups(all);
  for (Index r = 0; r < rows; ++r) {
    const Scalar* values = row(r);
    groups.for_each([&](Index begin, int size) {
      Scalar* const to = strips.data() + begin * rows + r * size;
      // Unrolled, since for a few numbers a call of memcpy takes longer than the copy itself.
      unroll<tile_columns>([&](auto n) {
        if (n < size) to[n] = begin + n < columns ? values[begin + n] : Scalar(1);
      });
    });
  }
}

/// The number of rows that are packed at a time, so that their strips stay in the first cache.
inline constexpr Index outer_product_rows = 128;

}  // namespace strata::detail::inline STRATA_TARGET
