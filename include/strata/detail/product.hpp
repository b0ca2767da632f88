#pragma once

#include <algorithm>
#include <array>

#include <strata/detail/buffer.hpp>
#include <strata/detail/tile.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// A matrix of `lanes` outputs by `depth` inputs, and a bias for each output, laid out as the tile
/// reads it. The lanes are cut into blocks of four registers, then of one register for what is
/// left where that pads less; a block holds its bias, and for each k the weights of its lanes,
/// padded with zeros.
template <class Scalar>
class PackedMatrix {
 public:
  static constexpr Index width = Pack<Scalar>::width;
  static constexpr Index wide = tile_vectors * width;

  /// Packs element(lane, k) and bias(lane).
  template <class Element, class Bias>
  void pack(Index lanes, Index depth, Element element, Bias bias) {
    lanes_ = lanes;
    depth_ = depth;
    values_.resize(padded<Scalar>(lanes) * (1 + depth));
    Scalar* to = values_.data();
    // Tiles of the matrix that stay in the first cache, whichever way it is read.
    constexpr Index tile = 64;
    for (Index first = 0; first < lanes; first += block_size(first)) {
      const Index size = block_size(first);
      const Index used = std::min(size, lanes - first);
      for (Index lane = 0; lane < size; ++lane) {
        *to++ = lane < used ? bias(first + lane) : Scalar(0);
      }
      for (Index start = 0; start < depth; start += tile) {
        const Index end = std::min(start + tile, depth);
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
/// A column may lie in memory as segments of `length` numbers, the last one perhaps shorter:
/// column(c, segment).
template <class Scalar, class Column, class To>
void multiply(const PackedMatrix<Scalar>& matrix, Index columns, Index length, Column column,
              To to) {
  constexpr int most = tile_columns<Scalar>;
  constexpr Index wide = PackedMatrix<Scalar>::wide;
  // Columns that stay in the second cache until every block of lanes has read them.
  constexpr Index chunk = 8 * most;
  std::array<Scalar, static_cast<std::size_t>(most * wide)> tail;
  const auto multiply_block = [&](Index first, Index start, Index columns_here) {
    const Index block = matrix.block_size(first);
    const Index used = std::min(block, matrix.lanes() - first);
    for_column_groups<Scalar>(columns_here, [&](Index offset, int size) {
      const Index begin = start + offset;
      const Scalar* from[most];
      Scalar* out[most];
      for (int n = 0; n < size; ++n) {
        from[n] = matrix.bias(first);
        out[n] = used == block ? to(begin + n) + first : tail.data() + n * block;
      }
      const auto product =
          block == wide ? tile_for<Scalar, tile_vectors>(size) : tile_for<Scalar, 1>(size);
      for (Index segment = 0, k = 0; k < matrix.depth();) {
        std::array<TileSegment<Scalar>, 8> in;
        std::size_t count = 0;
        const Scalar* const weights = matrix.weights(first) + k * block;
        for (; count < in.size() && k < matrix.depth(); ++count, ++segment, k += length) {
          in[count].depth = std::min(length, matrix.depth() - k);
          in[count].step = 1;
          for (int n = 0; n < size; ++n) in[count].columns[n] = column(begin + n, segment);
        }
        product(in.data(), static_cast<Index>(count), weights, from, out);
        std::copy_n(out, size, from);
      }
      if (used < block) {
        for (int n = 0; n < size; ++n) std::copy_n(out[n], used, to(begin + n) + first);
      }
    });
  };
  for (Index start = 0; start < columns; start += chunk) {
    const Index count = std::min(chunk, columns - start);
    for (Index first = 0; first < matrix.lanes(); first += matrix.block_size(first)) {
      multiply_block(first, start, count);
    }
  }
}

/// sum[j][lane] += panel[r][lane] * row(r)[j], summed over the rows r, for all j: the gradient of
/// weights that multiplied row(r)[j] and gave the outputs with derivatives `panel`, of `Vectors`
/// registers of lanes a row. `strips` is what pack_strips made of the rows.
template <int Vectors, class Scalar>
void add_outer_product(const Scalar* panel, Index rows, Index columns, const Scalar* strips,
                       Scalar* sum) {
  constexpr int most = tile_columns<Scalar>;
  constexpr Index lanes = Vectors * Pack<Scalar>::width;
  for_column_groups<Scalar>(columns, [&](Index begin, int size) {
    TileSegment<Scalar> in{.depth = rows, .step = size, .columns = {}};
    Scalar* out[most];
    for (int n = 0; n < size; ++n) {
      in.columns[n] = strips + begin * rows + n;
      out[n] = sum + (begin + n) * lanes;
    }
    tile_for<Scalar, Vectors>(size)(&in, 1, panel, out, out);
  });
}

/// Rows of numbers in the order in which add_outer_product reads them: the columns of a tile side
/// by side. With `ones` there is one column more, of ones: its product is the sum of all rows.
template <class Scalar, class Row>
void pack_strips(Index rows, Index columns, bool ones, Row row, Buffer<Scalar>& strips) {
  const Index all = columns + (ones ? 1 : 0);
  strips.resize(rows * all);
  for (Index r = 0; r < rows; ++r) {
    const Scalar* values = row(r);
    for_column_groups<Scalar>(all, [&](Index begin, int size) {
      Scalar* const to = strips.data() + begin * rows + r * size;
      // Unrolled, since a call of memcpy for so few numbers takes longer than they do.
      unroll<tile_columns<Scalar>>([&](auto n) {
        if (n < size) to[n] = begin + n < columns ? values[begin + n] : Scalar(1);
      });
    });
  }
}

/// Rows whose strips stay in the first cache.
inline constexpr Index outer_product_rows = 128;

}  // namespace strata::inline STRATA_TARGET::detail
