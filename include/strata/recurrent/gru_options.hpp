#pragma once

#include <strata/activation.hpp>
#include <strata/initializers.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of GRU and ResetBeforeGRU, with the names and defaults of Keras.
///
///   GRU{64, return_sequences, {.dropout = 0.2, .recurrent_dropout = 0.1}}
struct GRUOptions {
  /// phi, of the candidate. tanh, so that it can have either sign.
  Activation activation = Activation::tanh;
  /// sigma, of the gates z and r. sigmoid, since a gate is the share that it lets through.
  Activation recurrent_activation = Activation::sigmoid;
  /// Whether biases are added to the products. Without them there is no parameter "bias".
  bool use_bias = true;
  /// Draws W. GlorotUniform keeps the variance from layer to layer, forward and back.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws U. Orthogonal keeps the length of h over many steps.
  Initializer recurrent_initializer = Orthogonal{};
  /// Draws all biases.
  Initializer bias_initializer = Zeros{};
  /// Limits what goes into every activation to [-activation_clip, activation_clip], ONNX' clip; 0:
  /// no limit.
  double activation_clip = 0;
  /// The rest is the same for every recurrent layer, and off: see RecurrentOptions.
  double dropout = 0;
  double recurrent_dropout = 0;
  double zoneout = 0;
  bool go_backwards = false;
  bool zero_output_for_mask = false;
  bool recompute = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("activation", self.activation);
    f("recurrent_activation", self.recurrent_activation);
    f("use_bias", self.use_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("activation_clip", self.activation_clip);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata
