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
    const Index padded = (lanes + width - 1) / width * width;
    values_.resize(padded * (1 + depth));
    Scalar* to = values_.data();
    for (Index first = 0; first < lanes;) {
      const Index size = block_size(first);
      for (Index k = -1; k < depth; ++k) {
        for (Index lane = first; lane < first + size; ++lane) {
          *to++ = lane >= lanes ? Scalar(0) : k < 0 ? bias(lane) : element(lane, k);
        }
      }
      first += size;
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
/// A column may lie in memory as several segments of equal length: column(c, segment).
template <class Scalar, class Column, class To>
void multiply(const PackedMatrix<Scalar>& matrix, Index columns, Index segments, Column column,
              To to) {
  constexpr int most = tile_columns<Scalar>;
  constexpr Index wide = PackedMatrix<Scalar>::wide;
  // Columns that stay in the second cache until every block of lanes has read them.
  constexpr Index chunk = 8 * most;
  const Index length = matrix.depth() / segments;
  std::array<Scalar, static_cast<std::size_t>(most * wide)> tail;
  const auto multiply_block = [&](Index first, Index start, Index count) {
    const Index block = matrix.block_size(first);
    const Index used = std::min(block, matrix.lanes() - first);
    for_column_groups<Scalar>(count, [&](Index offset, int size) {
      const Index begin = start + offset;
      const Scalar* in[most];
      const Scalar* from[most];
      Scalar* out[most];
      for (int n = 0; n < size; ++n) {
        from[n] = matrix.bias(first);
        out[n] = used == block ? to(begin + n) + first : tail.data() + n * block;
      }
      const auto product =
          block == wide ? tile_for<Scalar, tile_vectors>(size) : tile_for<Scalar, 1>(size);
      for (Index segment = 0; segment < segments; ++segment) {
        for (int n = 0; n < size; ++n) in[n] = column(begin + n, segment);
        product(length, matrix.weights(first) + segment * length * block, in, 1, from, out);
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

/// sum[panel][j][lane] += panels[panel][r][lane] * row(r)[j], summed over the rows r from
/// `first_row`, for all j: the gradient of weights that multiplied row(r)[j] and gave the outputs
/// with derivatives `panels`.
///
/// A panel is `Vectors` registers of lanes of all rows. Rows are taken in chunks that stay
/// in the first cache.
template <int Vectors, class Scalar, class Row>
void add_outer_products(const Scalar* panels, Index panel_count, Index rows, Index first_row,
                        Index columns, Row row, Scalar* sum, Buffer<Scalar>& strips) {
  constexpr int most = tile_columns<Scalar>;
  constexpr Index lanes = Vectors * Pack<Scalar>::width;
  constexpr Index chunk = 128;
  strips.resize(chunk * columns);
  for (Index start = first_row; start < rows; start += chunk) {
    const Index depth = std::min(chunk, rows - start);
    for (Index r = 0; r < depth; ++r) {
      const Scalar* values = row(start + r);
      for_column_groups<Scalar>(columns, [&](Index begin, int size) {
        std::copy_n(values + begin, size, strips.data() + begin * depth + r * size);
      });
    }
    for (Index panel = 0; panel < panel_count; ++panel) {
      const Scalar* weights = panels + (panel * rows + start) * lanes;
      for_column_groups<Scalar>(columns, [&](Index begin, int size) {
        const Scalar* in[most];
        Scalar* out[most];
        for (int n = 0; n < size; ++n) {
          in[n] = strips.data() + begin * depth + n;
          out[n] = sum + (panel * columns + begin + n) * lanes;
        }
        tile_for<Scalar, Vectors>(size)(depth, weights, in, size, out, out);
      });
    }
  }
}

}  // namespace strata::inline STRATA_TARGET::detail
