#pragma once

#include <strata/initializers.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata {

/// The first weights of a gated cell, with Keras' defaults.
///
///   GatedCell<Gates>{32, {}, {.unit_bias_gate = 0}}
struct GatedCellOptions {
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// The gate whose bias starts at one, or -1: none.
  int unit_bias_gate = -1;
  /// How many numbers the recurrent kernel reads, where it reads a projection of h; 0: U.
  Index recurrent_inputs = 0;

  /// f(name, option) for each option in order, but for recurrent_inputs.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("use_bias", self.use_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("unit_bias_gate", self.unit_bias_gate);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// What the options of a layer say to its gated cell.
template <class Options>
[[nodiscard]] GatedCellOptions cell_options_of(const Options& options, int unit_bias_gate = -1) {
  return {.use_bias = options.use_bias,
          .kernel_initializer = options.kernel_initializer,
          .recurrent_initializer = options.recurrent_initializer,
          .bias_initializer = options.bias_initializer,
          .unit_bias_gate = unit_bias_gate};
}

}  // namespace strata::detail::inline STRATA_TARGET
