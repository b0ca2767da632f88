#pragma once

#include <strata/contracts/held.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a SimpleRNN layer, with the names and defaults of Keras.
///
///   SimpleRNN{32, {.activation = Activation::relu}}
struct SimpleRNNOptions {
  /// phi. tanh, whose values stay in (-1, 1) however many steps there are.
  Activation activation = Activation::tanh;
  /// Whether b is added to the products. Without it there is no parameter "bias".
  bool use_bias = true;
  /// Draws W. GlorotUniform keeps the variance from layer to layer, forward and back.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws U. Orthogonal keeps the length of h over many steps.
  Initializer recurrent_initializer = Orthogonal{};
  /// Draws b.
  Initializer bias_initializer = Zeros{};
  /// Limits what goes into phi to [-activation_clip, activation_clip], ONNX' clip; 0: no limit.
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
    f("use_bias", self.use_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("activation_clip", self.activation_clip);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// h' = phi(z).
template <class Activations>
struct SimpleRNNEquations {
  Activations act;

  template <class V>
  STRATA_ALWAYS_INLINE V operator()(GateStep<V, 1, 0, 0>& s) const {
    return s.z[0] = act.phi(s.z[0]);
  }

  template <class V>
  STRATA_ALWAYS_INLINE void backward(const GateStep<V, 1, 0, 0>& s, const V& dh,
                                     GateStep<V, 1, 0, 0>& d) const {
    d.z[0] = dh * act.phi_derivative(s.z[0]);
  }
};

/// h' = phi(clip(z)): the same with a limit of what goes into the activation.
struct ClippedSimpleRNNEquations {
  Activation activation;
  ClipValue clip;

  template <class V>
  V operator()(GateStep<V, 1, 0, 0>& s) const {
    return activate(activation, clip(s.z[0]));
  }
};

/// The gate of a SimpleRNN with the activation and the limit of its options.
struct SimpleRNNGates {
  static constexpr const char* kind = "SimpleRNN";
  static constexpr GateLayout layout{.gates = 1, .reads_h = false, .chooses_equations = true};

  Activation activation = Activation::tanh;
  ClipValue clip;

  template <class F>
  void with_equations(F f) const {
    if (clip.limit > 0) return f(ClippedSimpleRNNEquations{activation, clip});
    with_activations(activation, Activation::sigmoid, [&](auto activations) {
      f(SimpleRNNEquations<decltype(activations)>{activations});
    });
  }
};

/// The cell of a SimpleRNN layer.
template <class Scalar, Index Inputs, Index Units>
class SimpleRNNLayerCell : public GatedCell<SimpleRNNGates, Scalar, Inputs, Units> {
 public:
  SimpleRNNLayerCell(Index units, const SimpleRNNOptions& options)
      : GatedCell<SimpleRNNGates, Scalar, Inputs, Units>(
            units, {options.activation, {options.activation_clip}}, cell_options_of(options)) {
    check_gate_activations("SimpleRNN", options.activation, Activation::sigmoid);
    check_clip("SimpleRNN", options.activation_clip);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// The plain recurrent layer of Elman 1990: h' = phi(W x + U h + b).
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters: kernel (F, U), recurrent_kernel (U, U), bias (U).
///
///   SimpleRNN{32}, SimpleRNN{32, return_sequences}, SimpleRNN<float, 1, 32>
///
/// Making it throws ValueError on units below 1 and on options out of range.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class SimpleRNN : public detail::OptionLayer<SimpleRNN<Scalar, Inputs, Units, ReturnsSequences>,
                                             detail::SimpleRNNLayerCell<Scalar, Inputs, Units>,
                                             SimpleRNNOptions, ReturnsSequences> {
 public:
  using SimpleRNN::OptionLayer::OptionLayer;
};

SimpleRNN(Index, SimpleRNNOptions = {})->SimpleRNN<>;
SimpleRNN(Index, ReturnSequences, SimpleRNNOptions = {})->SimpleRNN<float, Dynamic, Dynamic, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<SimpleRNN<Scalar, Dynamic, Dynamic, Sequences>>
    : HeldRecurrent<HeldKind::simple_rnn, Sequences> {};

}  // namespace strata::detail
