#pragma once

#include <algorithm>
#include <cstdint>

#include <strata/kernels/pair_sums.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/int16_weights.hpp>
#include <strata/target.hpp>

// The products of a step with weights that are 16-bit integers.

namespace strata::detail::inline STRATA_TARGET {

/// What a step adds to the sums of its panels: the products of integer weights with pairs of
/// numbers.
template <class Gates>
struct Int16Products {
  const Int16Weights<Gates>& weights;
  /// The row of weights with which the products begin: 0, or x_pairs for those with h alone.
  Index first;
  /// The numbers that are multiplied, as pairs of integers.
  const std::int16_t* values;
  /// What to_int16 has returned for the numbers.
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
    constexpr int panels = (std::max)(Width / width, 1);
    constexpr int registers = Registers / panels;
    const Index count = weights.x_pairs + weights.h_pairs - first;
    const std::int32_t* rows[panels];
    for (int p = 0; p < panels; ++p) {
      rows[p] = weights.panel_rows(panel + p) + first * registers * width;
    }
    // As in step_panel, the rows go to several chains of sums in turn where a sum would wait.
    constexpr int chains = PairSums<>::is_fused ? std::clamp(8 / Registers, 1, 4) : 1;
    PairSums<> sums[chains][Registers];
    const auto accumulate = [&](auto chain, Index pair) STRATA_INLINE_LAMBDA {
      const auto both = PairSums<>::broadcast(pair_at(values, pair));
      unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
        sums[chain][i].add(
            PairSums<>::load(rows[i / registers] + (pair * registers + i % registers) * width),
            both);
      });
    };
    Index pair = 0;
    STRATA_KEEP_LOOP
    for (; pair + chains <= count; pair += chains) {
      unroll<chains>([&](auto chain) STRATA_INLINE_LAMBDA { accumulate(chain, pair + chain); });
    }
    unroll<chains - 1>([&](auto chain) STRATA_INLINE_LAMBDA {
      if (pair + chain < count) accumulate(chain, pair + chain);
    });
    unroll<chains - 1>([&](auto chain) STRATA_INLINE_LAMBDA {
      unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA { sums[0][i].add(sums[chain + 1][i]); });
    });
    const Pack<float> extra = Pack<float>::broadcast(unusual);
    unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
      const float* const factors =
          weights.panel_factors(panel + i / registers) + i % registers * width;
      sum[i] = multiply_add(sums[0][i].numbers(), Pack<float>::load(factors), sum[i] + extra);
    });
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
