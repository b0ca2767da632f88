#pragma once

#include <optional>
#include <type_traits>

#include <strata/activation.hpp>
#include <strata/contracts/held.hpp>
#include <strata/initializers.hpp>
#include <strata/layers/lstm_cell.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/extended_gates.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/gated/projected_cell.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of ExtendedLSTM and CoupledLSTM: those of Keras' LSTM with its defaults, and what the
/// literature, PyTorch and ONNX add to them.
///
///   ExtendedLSTM{64, return_sequences, {.peepholes = false, .projection = 16}}
struct ExtendedLSTMOptions {
  /// phi, of the candidate. tanh, so that what is added to the memory can have either sign.
  Activation activation = Activation::tanh;
  /// sigma, of the gates. sigmoid, since a gate is the share that it lets through.
  Activation recurrent_activation = Activation::sigmoid;
  /// Of the memory on its way out, ONNX' h. Without a value it is `activation`, as in Keras.
  std::optional<Activation> output_activation = std::nullopt;
  /// Whether b is added to the products. Without it there is no parameter "bias".
  bool use_bias = true;
  /// Starts the bias of the forget gate at 1, so that the memory lasts before anything is learned.
  /// A CoupledLSTM has no forget gate.
  bool unit_forget_bias = true;
  /// Draws W, the peepholes and the projection. GlorotUniform keeps the variance from layer to
  /// layer, forward and back.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws U. Orthogonal keeps the length of h over many steps.
  Initializer recurrent_initializer = Orthogonal{};
  /// Draws b, but for the forget gate's with unit_forget_bias.
  Initializer bias_initializer = Zeros{};
  /// Whether each unit's gates read the unit's own memory (Gers & Schmidhuber 2000). On, since
  /// without them, a projection and limits the layer is an LSTM.
  bool peepholes = true;
  /// R, the outputs to which h is projected (Sak, Senior & Beaufays 2014, PyTorch's proj_size); 0:
  /// none, the output is h.
  Index projection = 0;
  /// Limits the memory to [-cell_clip, cell_clip] after each step; 0: no limit.
  double cell_clip = 0;
  /// Limits what goes into every activation to [-activation_clip, activation_clip], ONNX' clip; 0:
  /// no limit.
  double activation_clip = 0;
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
    f("output_activation", self.output_activation);
    f("use_bias", self.use_bias);
    f("unit_forget_bias", self.unit_forget_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("peepholes", self.peepholes);
    f("projection", self.projection);
    f("cell_clip", self.cell_clip);
    f("activation_clip", self.activation_clip);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// What the options say to the gates.
[[nodiscard]] inline ExtendedSettings settings_of(const ExtendedLSTMOptions& options) {
  return {.activation = options.activation,
          .recurrent_activation = options.recurrent_activation,
          .output_activation = options.output_activation.value_or(options.activation),
          .peepholes = options.peepholes,
          .cell_clip = {options.cell_clip},
          .activation_clip = {options.activation_clip}};
}

/// The cell of either layer: `Gates` are PeepholeGates or CoupledGates.
template <class Gates, class Scalar>
class ExtendedLSTMCell : public ProjectedCell<Gates, Scalar> {
  static constexpr int forget_gate =
      std::is_same_v<Gates, PeepholeGates> ? static_cast<int>(LSTMGates::forget) : -1;

 public:
  ExtendedLSTMCell(Index units, const ExtendedLSTMOptions& options)
      : ProjectedCell<Gates, Scalar>(
            units, {settings_of(options)},
            cell_options_of(options, options.unit_forget_bias ? forget_gate : -1),
            options.projection) {
    check_gate_activations(Gates::kind, options.activation, options.recurrent_activation);
    check_clip(Gates::kind, options.cell_clip);
    check_clip(Gates::kind, options.activation_clip);
  }
};

/// Either layer but for its name.
template <class Layer, class Gates, class Scalar, bool ReturnsSequences>
using ExtendedLayer =
    OptionLayer<Layer, ExtendedLSTMCell<Gates, Scalar>, ExtendedLSTMOptions, ReturnsSequences>;

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// An LSTM layer with what the literature added to it: peepholes, a projection of its output, and
/// limits, each an option.
///
///   i = sigma(W_i x + U_i h + p_i c + b_i), f = sigma(W_f x + U_f h + p_f c + b_f),
///   g = phi(W_g x + U_g h + b_g), c' = f c + i g, o = sigma(W_o x + U_o h + p_o c' + b_o),
///   h' = o phi(c'); with a projection h' = P (o phi(c')).
///
/// (B, T, F) to (B, T, R) with return_sequences, to (B, R), the last step's output, without; R is U
/// where nothing is projected. The state of a sequence is h, then c: R + U numbers. Parameters:
/// kernel (F, 4U), recurrent_kernel (R, 4U), bias (4U), gates i, f, g, o; peephole_input,
/// peephole_forget, peephole_output (U); projection (U, R), which is P transposed.
///
///   ExtendedLSTM{50}, ExtendedLSTM{50, return_sequences, {.projection = 10}}
///
/// Making it throws ValueError on units below 1 and on options out of range.
template <class Scalar = float, bool ReturnsSequences = false>
class ExtendedLSTM : public detail::ExtendedLayer<ExtendedLSTM<Scalar, ReturnsSequences>,
                                                  detail::PeepholeGates, Scalar, ReturnsSequences> {
 public:
  using ExtendedLSTM::OptionLayer::OptionLayer;
};

ExtendedLSTM(Index, ExtendedLSTMOptions = {})->ExtendedLSTM<>;
ExtendedLSTM(Index, ReturnSequences, ExtendedLSTMOptions = {})->ExtendedLSTM<float, true>;

/// An ExtendedLSTM that forgets as much as it takes in: c' = (1 - i) c + i g (Greff et al. 2017,
/// CIFG; ONNX' input_forget). Its gates are i, g, o in kernels of 3U columns, and there is no
/// peephole_forget.
///
///   CoupledLSTM{50, return_sequences, {.peepholes = false}}
template <class Scalar = float, bool ReturnsSequences = false>
class CoupledLSTM : public detail::ExtendedLayer<CoupledLSTM<Scalar, ReturnsSequences>,
                                                 detail::CoupledGates, Scalar, ReturnsSequences> {
 public:
  using CoupledLSTM::OptionLayer::OptionLayer;
};

CoupledLSTM(Index, ExtendedLSTMOptions = {})->CoupledLSTM<>;
CoupledLSTM(Index, ReturnSequences, ExtendedLSTMOptions = {})->CoupledLSTM<float, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<ExtendedLSTM<Scalar, Sequences>> : HeldRecurrent<HeldKind::extended_lstm, Sequences> {};
template <class Scalar, bool Sequences>
struct Held<CoupledLSTM<Scalar, Sequences>> : HeldRecurrent<HeldKind::coupled_lstm, Sequences> {};

}  // namespace strata::detail
