#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include <strata/recurrent/gated/int16_weights.hpp>
#include <strata/target.hpp>

// The products of a step with weights that are 16-bit integers.

namespace strata::detail::inline STRATA_TARGET {

/// Numbers as 16-bit integers in pairs, filled up with a zero.
struct Int16Pairs {
  std::int16_t* values;

  /// Returns what to_int16 returns.
  float set(Index first_pair, Index count, const float* from) const noexcept {
    std::int16_t* const to = values + 2 * first_pair;
    if (count % 2 == 1) to[count] = 0;
    return to_int16(count, from, to);
  }
  [[nodiscard]] STRATA_ALWAYS_INLINE std::int32_t operator[](Index pair) const noexcept {
    if constexpr (std::endian::native == std::endian::little) {
      std::int32_t both;
      std::memcpy(&both, values + 2 * pair, sizeof both);
      return both;
    } else {
      return pair_of(values[2 * pair], values[2 * pair + 1]);
    }
  }
};

/// What a step adds to the sums of its panels: the products of integer weights with pairs of
/// numbers.
template <class Gates>
struct Int16Products {
  const Int16Weights<Gates>& weights;
  /// The row of weights with which the products begin: 0, or x_pairs for those with h alone.
  Index first;
  Int16Pairs pairs;
  /// What Int16Pairs::set has returned.
  float unusual;

  /// Adds to the registers of the row of a panel, or of the rows of two panels that begin with
  /// number `panel`.
  [[nodiscard]] STRATA_ALWAYS_INLINE auto operator()(Index panel, auto width) const {
    return [this, panel](auto& sum)
               STRATA_INLINE_LAMBDA { this->template add<decltype(width)::value>(panel, sum); };
  }

 private:
  template <int Width, int Registers>
  STRATA_ALWAYS_INLINE void add(Index panel, Pack<float> (&sum)[Registers]) const {
    constexpr int width = Pack<float>::width;
    constexpr int panels = std::max(Width / width, 1);
    constexpr int registers = Registers / panels;
    const Index count = weights.x_pairs + weights.h_pairs - first;
    const std::int32_t* rows[panels];
    for (int p = 0; p < panels; ++p) {
      rows[p] = weights.panel_rows(panel + p) + first * registers * width;
    }
    PairSums<> sums[Registers];
#ifdef __clang__
#pragma clang loop unroll(disable)
#endif
    for (Index pair = 0; pair < count; ++pair) {
      const std::int32_t values = pairs[pair];
      unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
        sums[i].add(rows[i / registers] + (pair * registers + i % registers) * width, values);
      });
    }
    const Pack<float> extra = Pack<float>::broadcast(unusual);
    unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
      const float* const factors =
          weights.panel_factors(panel + i / registers) + i % registers * width;
      sum[i] = multiply_add(sums[i].numbers(), Pack<float>::load(factors), sum[i] + extra);
    });
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
