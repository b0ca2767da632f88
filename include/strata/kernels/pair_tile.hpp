#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <strata/kernels/pair_sums.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/kernels/tile.hpp>
#include <strata/language/compiler.hpp>
#include <strata/target.hpp>

// Products of several columns with the same weights, all 16-bit integers in pairs.

namespace strata::detail::inline STRATA_TARGET {

/// The weights of a tile of integers: `pairs` rows, `step` pairs apart, and what the sum of each
/// lane is multiplied by.
struct PairTileWeights {
  const std::int32_t* first;
  Index step;
  Index pairs;
  const float* factors;
};

/// A column of integers, `unusual` as to_int16 returns it, and the row of floats to which the
/// products are added.
struct PairTileColumn {
  const std::int16_t* values;
  float unusual;
  const float* from;
  float* to;
};

/// As `tile`, with exact sums of integers:
///
///   to[n][v] = from[n][v] + unusual[n] + factors[v] * sum over pairs p of weights[p][v] . column
///   n's pair p.
template <int Vectors, int Columns>
void pair_tile(const PairTileWeights& weights, const PairTileColumn* columns) {
  constexpr int width = Pack<float>::width;
  PairSums<> sum[Columns][Vectors];
  const std::int32_t* row = weights.first;
  for (Index pair = 0; pair < weights.pairs; ++pair, row += weights.step) {
    typename PairSums<>::Pairs weight[Vectors];
    STRATA_UNROLL
    for (int v = 0; v < Vectors; ++v) weight[v] = PairSums<>::load(row + v * width);
    STRATA_UNROLL
    for (int n = 0; n < Columns; ++n) {
      const auto value = PairSums<>::broadcast(pair_at(columns[n].values, pair));
      STRATA_UNROLL
      for (int v = 0; v < Vectors; ++v) sum[n][v].add(weight[v], value);
    }
  }
  STRATA_UNROLL
  for (int n = 0; n < Columns; ++n) {
    const auto unusual = Pack<float>::broadcast(columns[n].unusual);
    STRATA_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      const auto from = Pack<float>::load(columns[n].from + v * width) + unusual;
      multiply_add(sum[n][v].numbers(), Pack<float>::load(weights.factors + v * width), from)
          .store(columns[n].to + v * width);
    }
  }
}

/// Multiplies `count` columns by the same weights, tile by tile; column(n) is column number n.
template <int Vectors, class Column>
STRATA_ALWAYS_INLINE void multiply_pair_columns(const PairTileWeights& weights, Index count,
                                                Column column) {
  static constexpr auto tiles = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array{&pair_tile<Vectors, I + 1>...};
  }
  (std::make_integer_sequence<int, tile_columns>{});
  ColumnGroups(count).for_each([&](Index first, int size) {
    PairTileColumn columns[tile_columns];
    for (int n = 0; n < size; ++n) columns[n] = column(first + n);
    tiles[static_cast<std::size_t>(size - 1)](weights, columns);
  });
}

}  // namespace strata::detail::inline STRATA_TARGET
