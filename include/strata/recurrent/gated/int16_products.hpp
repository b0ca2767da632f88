#pragma once

#include <algorithm>
#include <cstdint>

#include <strata/kernels/pair_sums.hpp>
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
  /// What to_pairs has returned for the numbers.
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
      const auto both = PairSums<>::broadcast(pair_at(values, pair));
      unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
        sums[i].add(
            PairSums<>::load(rows[i / registers] + (pair * registers + i % registers) * width),
            both);
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
