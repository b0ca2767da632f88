#pragma once

#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' options of a SimpleRNN layer, with Keras' defaults, and zoneout.
struct SimpleRNNOptions {
  Activation activation = Activation::tanh;
  bool use_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// Limits what goes into the activation, ONNX' clip; 0: no limit.
  double activation_clip = 0;
  /// See RecurrentOptions.
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

namespace detail {

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

/// The same with a limit of what goes into the activation.
struct ClippedSimpleRNNEquations {
  Activation activation;
  ClipValue clip;

  template <class V>
  V operator()(GateStep<V, 1, 0, 0>& s) const {
    return activate(activation, clip(s.z[0]));
  }
};

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

}  // namespace detail

/// The plain recurrent layer of Elman 1990: h' = phi(W x + U h + b).
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class SimpleRNN
    : public detail::RecurrentLayer<GatedCell<detail::SimpleRNNGates, Scalar, Inputs, Units>> {
  using Cell = GatedCell<detail::SimpleRNNGates, Scalar, Inputs, Units>;
  using Base = detail::RecurrentLayer<Cell>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit SimpleRNN(Index units, SimpleRNNOptions options = {}) requires(Units == Dynamic)
      : SimpleRNN(options, units) {}
  SimpleRNN(Index units, ReturnSequences,
            SimpleRNNOptions options = {}) requires(Units == Dynamic && ReturnsSequences)
      : SimpleRNN(options, units) {}
  SimpleRNN() requires(Units != Dynamic) : SimpleRNN(SimpleRNNOptions{}) {}
  explicit SimpleRNN(SimpleRNNOptions options) requires(Units != Dynamic)
      : SimpleRNN(options, Units) {}

  [[nodiscard]] const SimpleRNNOptions& options() const noexcept { return options_; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] SimpleRNN<Other, Dynamic, Dynamic, ReturnsSequences> to_dynamic() const {
    SimpleRNN<Other, Dynamic, Dynamic, ReturnsSequences> layer(this->units(), options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  SimpleRNN(const SimpleRNNOptions& options, Index units)
      : Base(Cell(units, {options.activation, {options.activation_clip}},
                  detail::cell_options_of(options)),
             detail::recurrent_options_of(options), ReturnsSequences),
        options_(options) {
    detail::check_gate_activations("SimpleRNN", options.activation, Activation::sigmoid);
    detail::check_clip("SimpleRNN", options.activation_clip);
  }

  SimpleRNNOptions options_;
};

SimpleRNN(Index, ReturnSequences, SimpleRNNOptions = {})->SimpleRNN<float, Dynamic, Dynamic, true>;

}  // namespace strata::inline STRATA_TARGET
