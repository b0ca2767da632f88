#pragma once

#include <strata/activation.hpp>
#include <strata/initializers.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' options of a GRU layer, with Keras' defaults, and zoneout.
struct GRUOptions {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// Limits what goes into every activation, ONNX' clip; 0: no limit.
  double activation_clip = 0;
  /// See RecurrentOptions.
  double dropout = 0;
  double recurrent_dropout = 0;
  double zoneout = 0;
  bool go_backwards = false;
  bool zero_output_for_mask = false;
  bool recompute = false;
};

}  // namespace strata::inline STRATA_TARGET
