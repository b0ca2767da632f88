#pragma once

#include <strata/activation.hpp>
#include <strata/contracts/held.hpp>
#include <strata/initializers.hpp>
#include <strata/layers/lstm_cell.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/extended_gates.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/gated/window_cell.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a WindowLSTM. The sizes of the text must be given.
///
///   WindowLSTM{400, return_sequences, {.characters = 57, .length = 60}}
struct WindowLSTMOptions {
  /// V, the numbers of one character: the size of the alphabet, where a character is a row of an
  /// identity matrix.
  Index characters = 0;
  /// L, the most characters of a text.
  Index length = 0;
  /// K, the Gaussians of the window. 10, as Graves took.
  Index gaussians = 10;
  /// How many characters the Gaussians move on in a step before training. One character for each
  /// step is too fast for speech and handwriting, where a character takes some 25 steps: the window
  /// would be past the text before anything is learned.
  double advance = 0.04;
  /// phi, of the candidate and of the memory on its way out. tanh, so that what is added to the
  /// memory can have either sign.
  Activation activation = Activation::tanh;
  /// sigma, of the gates. sigmoid, since a gate is the share that it lets through.
  Activation recurrent_activation = Activation::sigmoid;
  /// Whether b is added to the products of the gates.
  bool use_bias = true;
  /// Starts the bias of the forget gate at 1, so that the memory lasts before anything is learned.
  bool unit_forget_bias = true;
  /// Draws W, the peepholes and the window's kernel. GlorotUniform keeps the variance from layer to
  /// layer, forward and back.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws U. Orthogonal keeps the length of h over many steps.
  Initializer recurrent_initializer = Orthogonal{};
  /// Draws b, but for the forget gate's with unit_forget_bias.
  Initializer bias_initializer = Zeros{};
  /// Whether each unit's gates read the unit's own memory, as in the paper.
  bool peepholes = true;
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
    f("characters", self.characters);
    f("length", self.length);
    f("gaussians", self.gaussians);
    f("advance", self.advance);
    f("activation", self.activation);
    f("recurrent_activation", self.recurrent_activation);
    f("use_bias", self.use_bias);
    f("unit_forget_bias", self.unit_forget_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    f("peepholes", self.peepholes);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

template <class Scalar>
class WindowLSTMCell : public WindowCell<PeepholeGates, Scalar> {
  static constexpr int forget_gate = static_cast<int>(LSTMGates::forget);

 public:
  WindowLSTMCell(Index units, const WindowLSTMOptions& options)
      : WindowCell<PeepholeGates, Scalar>(
            "WindowLSTM", units,
            {{.activation = options.activation,
              .recurrent_activation = options.recurrent_activation,
              .output_activation = options.activation,
              .peepholes = options.peepholes,
              .cell_clip = {},
              .activation_clip = {}}},
            cell_options_of(options, options.unit_forget_bias ? forget_gate : -1),
            {options.gaussians, options.characters, options.length}, options.advance) {
    check_gate_activations("WindowLSTM", options.activation, options.recurrent_activation);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// An LSTM layer that reads a text while it reads or writes a sequence (Graves 2013, Generating
/// sequences with recurrent neural networks, section 5): K Gaussians move over the characters of
/// the text, always forwards, and the layer decides in each step how far. What they see, the window
/// w, goes into the next step and, beside h, to the output.
///
///   h' of an LSTM that reads x, w and h, w' = sum over u of phi(u) c_u,
///   phi(u) = sum over k of alpha_k exp(-beta_k (kappa_k - u)^2), u = 1 ... L,
///   alpha, beta = exp of products with h', kappa' = kappa + exp(product with h').
///
/// (B, T, F) to (B, T, U + V) with return_sequences, h before w; to (B, U + V), the last step's,
/// without. The text is a part of the state, which no step changes: text_state makes a state of
/// texts. The state of a sequence is h, window (V), c, kappa (K), text (L, V), in this order; a
/// text of zeros has an empty window. Parameters: kernel (F, 4U), recurrent_kernel (U + V, 4U), the
/// rows of w behind those of h, bias (4U), gates i, f, g, o; peephole_input, peephole_forget,
/// peephole_output (U); window_kernel (U, 3K), window_bias (3K): alpha, beta, advance.
///
/// Making it throws ValueError on sizes below 1 and on options out of range.
template <class Scalar = float, bool ReturnsSequences = false>
class WindowLSTM : public detail::OptionLayer<WindowLSTM<Scalar, ReturnsSequences>,
                                              detail::WindowLSTMCell<Scalar>, WindowLSTMOptions,
                                              ReturnsSequences> {
 public:
  using WindowLSTM::OptionLayer::OptionLayer;

  /// V.
  [[nodiscard]] Index window_features() const noexcept { return this->options().characters; }
};

WindowLSTM(Index, WindowLSTMOptions)->WindowLSTM<>;
WindowLSTM(Index, ReturnSequences, WindowLSTMOptions)->WindowLSTM<float, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<WindowLSTM<Scalar, Sequences>> : HeldRecurrent<HeldKind::window_lstm, Sequences> {};

}  // namespace strata::detail
