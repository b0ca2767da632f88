#pragma once

#include <algorithm>
#include <cstdint>

#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/half_weights.hpp>
#include <strata/target.hpp>

// The products of a step with weights that are 16-bit floats.

namespace strata::detail::inline STRATA_TARGET {

/// What a step adds to the sums of its panels: the products of 16-bit weights with x and h, in
/// float.
template <class Gates>
struct HalfProducts {
  const HalfWeights<Gates>& weights;
  /// How many numbers of x are multiplied here, F or 0.
  Index inputs;
  const float* x;
  /// R or 0.
  Index outputs;
  const float* h;

  /// Adds to the registers of the row of a panel, or of the rows of two panels that begin with
  /// number `panel`.
  [[nodiscard]] STRATA_ALWAYS_INLINE auto operator()(Index panel, auto width) const {
    return [this, panel](auto& sum) STRATA_INLINE_LAMBDA {
      // As in step_panel, the product whose factor is known first comes first.
      const Index h_row = weights.depth - outputs;
      constexpr int wide = decltype(width)::value;
      if (inputs < outputs) {
        this->template add<wide>(panel, 0, inputs, x, sum);
        this->template add<wide>(panel, h_row, outputs, h, sum);
      } else {
        this->template add<wide>(panel, h_row, outputs, h, sum);
        this->template add<wide>(panel, 0, inputs, x, sum);
      }
    };
  }

 private:
  /// Adds values[k] times row first + k of the weights for all k below `count`. The rows go to a
  /// few chains of sums in turn, so that no chain waits for another.
  template <int Width, int Registers>
  STRATA_ALWAYS_INLINE void add(Index panel, Index first, Index count, const float* values,
                                Pack<float> (&sum)[Registers]) const {
    using P = Pack<float>;
    constexpr int panels = (std::max)(Width / P::width, 1);
    constexpr int registers = Registers / panels;
    constexpr int chains = (std::max)(8 / Registers, 1);
    const std::uint16_t* rows[panels];
    for (int p = 0; p < panels; ++p) {
      rows[p] = weights.panel_rows(panel + p) + first * registers * P::width;
    }
    P more[chains][Registers];
    unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
      more[0][i] = sum[i];
      unroll<chains - 1>([&](auto c) STRATA_INLINE_LAMBDA { more[c + 1][i] = P::broadcast(0); });
    });
    const auto accumulate = [&](auto chain, Index k) STRATA_INLINE_LAMBDA {
      const P value = P::broadcast(values[k]);
      unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
        const std::uint16_t* const row =
            rows[i / registers] + (k * registers + i % registers) * P::width;
        more[chain][i] = multiply_add(load_half<P::width>(row), value, more[chain][i]);
      });
    };
    Index k = 0;
    STRATA_KEEP_LOOP
    for (; k + chains <= count; k += chains) {
      unroll<chains>([&](auto chain) STRATA_INLINE_LAMBDA { accumulate(chain, k + chain); });
    }
    unroll<chains - 1>([&](auto chain) STRATA_INLINE_LAMBDA {
      if (k + chain < count) accumulate(chain, k + chain);
    });
    unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA {
      sum[i] = more[0][i];
      unroll<chains - 1>([&](auto c) STRATA_INLINE_LAMBDA { sum[i] = sum[i] + more[c + 1][i]; });
    });
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
