#pragma once

#include <strata/initializers.hpp>
#include <strata/layers/lstm_cell.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/gated/lstm_gates.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' options of an LSTM layer, with Keras' defaults, and zoneout.
struct LSTMOptions {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool use_bias = true;
  bool unit_forget_bias = true;
  Initializer kernel_initializer = GlorotUniform{};
  Initializer recurrent_initializer = Orthogonal{};
  Initializer bias_initializer = Zeros{};
  /// See RecurrentOptions.
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

namespace detail {

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
using LSTMLayerCell =
    GatedCell<LSTMGateSet, Scalar, Inputs, Units, LSTMCell<Scalar, Inputs, Units>>;

}  // namespace detail

/// A long short-term memory layer: LSTMCell over all steps of a sequence.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without. The
/// state of a sequence is h, then c: 2 U numbers.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class LSTM : public detail::RecurrentLayer<detail::LSTMLayerCell<Scalar, Inputs, Units>> {
  using Cell = detail::LSTMLayerCell<Scalar, Inputs, Units>;
  using Base = detail::RecurrentLayer<Cell>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit LSTM(Index units, LSTMOptions options = {}) requires(Units == Dynamic)
      : LSTM(options, units) {}

  LSTM(Index units, ReturnSequences, LSTMOptions options = {})
  requires(Units == Dynamic && ReturnsSequences) : LSTM(options, units) {}

  LSTM() requires(Units != Dynamic) : LSTM(LSTMOptions{}) {}

  explicit LSTM(LSTMOptions options) requires(Units != Dynamic) : LSTM(options, Units) {}

  [[nodiscard]] const LSTMOptions& options() const noexcept { return options_; }
  [[nodiscard]] LSTMCell<Scalar, Inputs, Units>& cell() noexcept { return this->cell_.weights(); }
  [[nodiscard]] const LSTMCell<Scalar, Inputs, Units>& cell() const noexcept {
    return this->cell_.weights();
  }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] LSTM<Other, Dynamic, Dynamic, ReturnsSequences> to_dynamic() const {
    LSTM<Other, Dynamic, Dynamic, ReturnsSequences> layer(this->units(), options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  LSTM(const LSTMOptions& options, Index units)
      : Base(
            Cell(units, {options.activation, options.recurrent_activation},
                 detail::cell_options_of(
                     options, options.unit_forget_bias ? static_cast<int>(LSTMGates::forget) : -1)),
            detail::recurrent_options_of(options), ReturnsSequences),
        options_(options) {
    detail::check_gate_activations("LSTM", options.activation, options.recurrent_activation);
    cell().activation = options.activation;
    cell().recurrent_activation = options.recurrent_activation;
  }

  LSTMOptions options_;
};

LSTM(Index, ReturnSequences, LSTMOptions = {})->LSTM<float, Dynamic, Dynamic, true>;

}  // namespace strata::inline STRATA_TARGET
