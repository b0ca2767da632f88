#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include <strata/detail/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Registers of one tile: `tile_vectors` (or 1, for what is left of a row) by at most
/// `tile_columns` accumulators. 4 x 6 fills the 32 registers of AVX-512, 4 x 3 the 16 of AVX2 and
/// SSE.
inline constexpr int tile_vectors = 4;
template <class Scalar>
inline constexpr int tile_columns = sizeof(typename Pack<Scalar>::Register) >= 64 ? 6 : 3;

/// Part of the depth of a product: where the numbers of each column begin, and how far apart they
/// are.
template <class Scalar>
struct TileSegment {
  Index depth;
  Index step;
  const Scalar* columns[static_cast<std::size_t>(tile_columns<Scalar>)];
};

/// The kernel of every product in strata, an outer product summed over the depth k, which runs
/// through all segments:
///
///   to[n][v] = from[n][v] + sum over k of weights[k][v] * columns[n][k].
///
/// Vectors x Columns sums stay in registers all the time. `weights` is packed: Vectors registers
/// for each k, side by side. `from` may be `to`, or the same bias for all columns.
template <class Scalar, int Vectors, int Columns>
void tile(const TileSegment<Scalar>* segments, Index segment_count, const Scalar* weights,
          const Scalar* const* from, Scalar* const* to) {
  using P = Pack<Scalar>;
  // Fewer than eight independent sums leave the multiply-add units waiting; split each in two.
  constexpr int chains = Vectors * Columns < 8 ? 2 : 1;
  P sum[chains][Columns][Vectors];
  unroll<Columns>([&](auto n) __attribute__((always_inline)) {
    unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
      sum[0][n][v] = P::load(from[n] + v * P::width);
      if constexpr (chains == 2) sum[1][n][v] = P::broadcast(Scalar(0));
    });
  });

  for (Index segment = 0; segment < segment_count; ++segment) {
    const Index depth = segments[segment].depth;
    const Index step = segments[segment].step;
    const Scalar* column[Columns];
    unroll<Columns>([&](auto n) __attribute__((always_inline)) {
      column[n] = segments[segment].columns[n];
    });
    const auto accumulate = [&](auto chain, Index k) __attribute__((always_inline)) {
      P value[Columns];
      unroll<Columns>([&](auto n) __attribute__((always_inline)) {
        value[n] = P::broadcast(column[n][k * step]);
      });
      unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
        P weight = P::load(weights + (k * Vectors + v) * P::width);
        if constexpr (Columns > 1) weight = weight.held();
        unroll<Columns>([&](auto n) __attribute__((always_inline)) {
          sum[chain][n][v] = multiply_add(weight, value[n], sum[chain][n][v]);
        });
      });
    };
    Index k = 0;
    if constexpr (chains == 2) {
      for (; k + 2 <= depth; k += 2) {
        accumulate(std::integral_constant<int, 0>{}, k);
        accumulate(std::integral_constant<int, 1>{}, k + 1);
      }
    }
    for (; k < depth; ++k) accumulate(std::integral_constant<int, 0>{}, k);
    weights += depth * Vectors * P::width;
  }

  unroll<Columns>([&](auto n) __attribute__((always_inline)) {
    unroll<Vectors>([&](auto v) __attribute__((always_inline)) {
      P total = sum[0][n][v];
      if constexpr (chains == 2) total = total + sum[1][n][v];
      total.store(to[n] + v * P::width);
    });
  });
}

template <class Scalar>
using Tile = void (*)(const TileSegment<Scalar>* segments, Index segment_count,
                      const Scalar* weights, const Scalar* const* from, Scalar* const* to);

/// The tile for a number of columns that is known when the program runs.
template <class Scalar, int Vectors>
[[nodiscard]] Tile<Scalar> tile_for(int columns) {
  static constexpr auto table = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Tile<Scalar>, sizeof...(I)>{&tile<Scalar, Vectors, I + 1>...};
  }
  (std::make_integer_sequence<int, tile_columns<Scalar>>{});
  return table[static_cast<std::size_t>(columns - 1)];
}

/// Splits `count` columns into groups of nearly equal size that fit a tile, and calls
/// f(first, size) for each.
template <class Scalar, class F>
STRATA_ALWAYS_INLINE void for_column_groups(Index count, F&& f) {
  constexpr Index most = tile_columns<Scalar>;
  const Index groups = (count + most - 1) / most;
  for (Index group = 0, first = 0; group < groups; ++group) {
    const Index size = (count - first + groups - group - 1) / (groups - group);
    f(first, static_cast<int>(size));
    first += size;
  }
}

}  // namespace strata::inline STRATA_TARGET::detail
