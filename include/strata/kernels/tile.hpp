#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include <strata/kernels/simd.hpp>
#include <strata/language/compiler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Registers of one tile: at most `tile_vectors` by `tile_columns` accumulators. 4 x 6 fills the 32
/// registers of AVX-512, 2 x 6 the 16 of AVX2 and SSE.
template <class Scalar>
inline constexpr int tile_vectors = sizeof(typename Pack<Scalar>::Register) >= 64 ? 4 : 2;
inline constexpr int tile_columns = 6;

/// Part of the depth of a product: `depth` numbers of each column. columns[n] points to the first
/// number of column n, and `step` is the distance to its next number.
template <class Scalar>
struct TileSegment {
  Index depth;
  Index step;
  const Scalar* const* columns;
};

/// The weights of a tile: for each k of the depth some registers side by side, `step` numbers apart
/// from one k to the next.
template <class Scalar>
struct TileWeights {
  const Scalar* first;
  Index step;
};

/// The kernel of every product in strata, an outer product summed over the depth k, which runs
/// through all segments:
///
///   to[n][v] = from[n][v] + sum over k of weights[k][v] * columns[first + n][k].
///
/// Vectors x Columns sums stay in registers all the time. `from` may be `to`, or the same bias for
/// all columns.
template <class Scalar, int Vectors, int Columns>
void tile(const TileSegment<Scalar>* segments, Index segment_count, Index first,
          TileWeights<Scalar> weights, const Scalar* const* from, Scalar* const* to) {
  using P = Pack<Scalar>;
  // Fewer than eight independent sums would leave the multiply-add units waiting, so each sum is
  // split into chains.
  constexpr int chains = (Vectors * Columns + 7) / (Vectors * Columns);
  P sum[chains][Columns][Vectors];
  STRATA_UNROLL
  for (int n = 0; n < Columns; ++n) {
    STRATA_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      sum[0][n][v] = P::load(from[n] + v * P::width);
      STRATA_UNROLL
      for (int c = 1; c < chains; ++c) sum[c][n][v] = P::broadcast(Scalar(0));
    }
  }

  const Scalar* row = weights.first;
  for (Index segment = 0; segment < segment_count; ++segment) {
    const Index depth = segments[segment].depth;
    const Index step = segments[segment].step;
    const Scalar* column[Columns];
    STRATA_UNROLL
    for (int n = 0; n < Columns; ++n) column[n] = segments[segment].columns[first + n];
    const auto accumulate = [&](int chain, Index k) STRATA_INLINE_LAMBDA {
      P weight[Vectors];
      STRATA_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        weight[v] = P::load(row + v * P::width);
        if constexpr (Columns > 1) weight[v] = weight[v].held();
      }
      row += weights.step;
      STRATA_UNROLL
      for (int n = 0; n < Columns; ++n) {
        const P value = P::broadcast(column[n][k * step]).held();
        STRATA_UNROLL
        for (int v = 0; v < Vectors; ++v) {
          sum[chain][n][v] = multiply_add(weight[v], value, sum[chain][n][v]);
        }
      }
    };
    Index k = 0;
    if constexpr (chains > 1) {
      for (; k + chains <= depth; k += chains) {
        STRATA_UNROLL
        for (int c = 0; c < chains; ++c) accumulate(c, k + c);
      }
    }
    for (; k < depth; ++k) accumulate(0, k);
  }

  STRATA_UNROLL
  for (int n = 0; n < Columns; ++n) {
    STRATA_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      P total = sum[0][n][v];
      STRATA_UNROLL
      for (int c = 1; c < chains; ++c) total = total + sum[c][n][v];
      total.store(to[n] + v * P::width);
    }
  }
}

template <class Scalar>
using Tile = void (*)(const TileSegment<Scalar>* segments, Index segment_count, Index first,
                      TileWeights<Scalar> weights, const Scalar* const* from, Scalar* const* to);

/// The tile for a number of columns that is known when the program runs.
template <class Scalar, int Vectors>
[[nodiscard]] Tile<Scalar> tile_for(int columns) {
  static constexpr auto table = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Tile<Scalar>, sizeof...(I)>{&tile<Scalar, Vectors, I + 1>...};
  }
  (std::make_integer_sequence<int, tile_columns>{});
  return table[static_cast<std::size_t>(columns - 1)];
}

/// Columns split into groups of nearly equal size that fit a tile. Where many rows are split alike,
/// one object serves them all, since a division takes as long as the copy of a group.
class ColumnGroups {
 public:
  explicit ColumnGroups(Index columns)
      : groups_((columns + tile_columns - 1) / tile_columns),
        size_(groups_ > 0 ? columns / groups_ : 0),
        larger_(columns - groups_ * size_) {}

  /// Calls f(first, size) for each group.
  template <class F>
  STRATA_ALWAYS_INLINE void for_each(F&& f) const {
    for (Index group = 0, first = 0; group < groups_; ++group) {
      const Index size = size_ + (group < larger_ ? 1 : 0);
      f(first, static_cast<int>(size));
      first += size;
    }
  }

 private:
  Index groups_;
  /// Columns of a group; the first `larger_` groups have one more.
  Index size_;
  Index larger_;
};

/// The number of columns that a tile's weights are multiplied with one after another, while these
/// weights lie in the first cache.
inline constexpr Index tile_chunk = 16 * tile_columns;

/// The number of tiles for `count` columns and a row of some registers.
template <class Scalar>
[[nodiscard]] constexpr Index tile_count(Index columns, Index registers) {
  constexpr Index vectors = tile_vectors<Scalar>;
  return ((columns + tile_columns - 1) / tile_columns) * ((registers + vectors - 1) / vectors);
}

/// f(first, size) for chunks of at most tile_chunk columns.
template <class F>
STRATA_ALWAYS_INLINE void for_chunks(Index count, F&& f) {
  for (Index first = 0; first < count; first += tile_chunk) {
    f(first, (std::min)(tile_chunk, count - first));
  }
}

/// Splits a row of `Registers` registers into blocks that fit a tile, and calls f(first, vectors)
/// for each, with constants.
template <class Scalar, int Registers, class F>
STRATA_ALWAYS_INLINE void for_vector_blocks(F&& f) {
  constexpr int most = tile_vectors<Scalar>;
  unroll<(Registers + most - 1) / most>([&](auto block) STRATA_INLINE_LAMBDA {
    constexpr int first = block * most;
    f(std::integral_constant<int, first>{},
      std::integral_constant<int, (std::min)(most, Registers - first)>{});
  });
}

/// Multiplies `count` columns by the same weights, tile by tile. The sums of column n start with
/// the row from(n) and are written to the row to(n).
template <int Vectors, class Scalar, class From, class To>
STRATA_ALWAYS_INLINE void multiply_columns(const TileSegment<Scalar>* segments, Index segment_count,
                                           Index count, TileWeights<Scalar> weights, From from,
                                           To to) {
  ColumnGroups(count).for_each([&](Index first, int size) {
    const Scalar* begin[tile_columns];
    Scalar* end[tile_columns];
    for (int n = 0; n < size; ++n) {
      begin[n] = from(first + n);
      end[n] = to(first + n);
    }
    tile_for<Scalar, Vectors>(size)(segments, segment_count, first, weights, begin, end);
  });
}

}  // namespace strata::detail::inline STRATA_TARGET
