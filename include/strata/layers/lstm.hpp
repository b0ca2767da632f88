#pragma once

#include <strata/contracts/held.hpp>
#include <strata/initializers.hpp>
#include <strata/layers/lstm_cell.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/gated/lstm_gates.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of an LSTM layer, with the names and defaults of Keras.
///
///   LSTM{64, return_sequences, {.dropout = 0.2, .recurrent_dropout = 0.1}}
struct LSTMOptions {
  /// phi, of the candidate and of the memory on its way out. tanh, so that what is added to the
  /// memory can have either sign.
  Activation activation = Activation::tanh;
  /// sigma, of the gates i, f and o. sigmoid, since a gate is the share that it lets through.
  Activation recurrent_activation = Activation::sigmoid;
  /// Whether b is added to the products. Without it there is no parameter "bias".
  bool use_bias = true;
  /// Starts the bias of the forget gate at 1, so that the memory lasts before anything is learned
  /// (Jozefowicz, Zaremba & Sutskever 2015).
  bool unit_forget_bias = true;
  /// Draws W. GlorotUniform keeps the variance from layer to layer, forward and back.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws U. Orthogonal keeps the length of h over many steps.
  Initializer recurrent_initializer = Orthogonal{};
  /// Draws b, but for the forget gate's with unit_forget_bias.
  Initializer bias_initializer = Zeros{};
  /// The rest is the same for every recurrent layer, and off: see RecurrentOptions.
  double dropout = 0;
  double recurrent_dropout = 0;
  double zoneout = 0;
  double memory_zoneout = 0;
  bool go_backwards = false;
  bool zero_output_for_mask = false;
  bool recompute = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("activation", self.activation);
    f("recurrent_activation", self.recurrent_activation);
    f("use_bias", self.use_bias);
    f("unit_forget_bias", self.unit_forget_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// The gates of an LSTM with the activations of its options.
struct LSTMGateSet {
  static constexpr const char* kind = "LSTM";
  static constexpr GateLayout layout{
      .gates = 4, .memories = 1, .reads_h = false, .chooses_equations = true};

  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;

  template <class F>
  STRATA_ALWAYS_INLINE void with_equations(F f) const {
    with_activations(activation, recurrent_activation, [&](auto activations) STRATA_INLINE_LAMBDA {
      f(LSTMEquations<decltype(activations)>{activations});
    });
  }
};

/// LSTMCell as a layer runs it.
template <class Scalar, Index Inputs, Index Units>
class LSTMLayerCell
    : public GatedCell<LSTMGateSet, Scalar, Inputs, Units, LSTMCell<Scalar, Inputs, Units>> {
  using Base = GatedCell<LSTMGateSet, Scalar, Inputs, Units, LSTMCell<Scalar, Inputs, Units>>;
  static constexpr int forget_gate = static_cast<int>(LSTMGates::forget);

 public:
  LSTMLayerCell(Index units, const LSTMOptions& options)
      : Base(units, {options.activation, options.recurrent_activation},
             cell_options_of(options, options.unit_forget_bias ? forget_gate : -1)) {
    check_gate_activations("LSTM", options.activation, options.recurrent_activation);
    this->weights().activation = options.activation;
    this->weights().recurrent_activation = options.recurrent_activation;
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// A long short-term memory layer: LSTMCell over all steps of a sequence.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without. The
/// state of a sequence is h, then c: 2 U numbers. Parameters: kernel (F, 4U), recurrent_kernel
/// (U, 4U), bias (4U), gates i, f, g, o.
///
///   LSTM{50}, LSTM{50, return_sequences, {.dropout = 0.2}}, LSTM<float, 1, 40, return_sequences>
///
/// Making it throws ValueError on units below 1 and on options out of range.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class LSTM : public detail::OptionLayer<LSTM<Scalar, Inputs, Units, ReturnsSequences>,
                                        detail::LSTMLayerCell<Scalar, Inputs, Units>, LSTMOptions,
                                        ReturnsSequences> {
 public:
  using LSTM::OptionLayer::OptionLayer;

  [[nodiscard]] LSTMCell<Scalar, Inputs, Units>& cell() noexcept { return this->cell_.weights(); }
  [[nodiscard]] const LSTMCell<Scalar, Inputs, Units>& cell() const noexcept {
    return this->cell_.weights();
  }
};

LSTM(Index, LSTMOptions = {})->LSTM<>;
LSTM(Index, ReturnSequences, LSTMOptions = {})->LSTM<float, Dynamic, Dynamic, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<LSTM<Scalar, Dynamic, Dynamic, Sequences>> : HeldRecurrent<HeldKind::lstm, Sequences> {
};

}  // namespace strata::detail
