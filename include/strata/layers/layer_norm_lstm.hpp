#pragma once

#include <strata/activation.hpp>
#include <strata/contracts/held.hpp>
#include <strata/initializers.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/recurrent/products/layer_norm_lstm_cell.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a LayerNormLSTM: those of an LSTM with its defaults, and the epsilon of the three
/// normalizations.
///
///   LayerNormLSTM{64, return_sequences, {.epsilon = 1e-5}}
struct LayerNormLSTMOptions {
  /// phi, of the candidate and of the memory on its way out. tanh, so that what is added to the
  /// memory can have either sign.
  Activation activation = Activation::tanh;
  /// sigma, of the gates i, f and o. sigmoid, since a gate is the share that it lets through.
  Activation recurrent_activation = Activation::sigmoid;
  /// Whether b is added to the normalized products. Without it there is no parameter "bias".
  bool use_bias = true;
  /// Starts the bias of the forget gate at 1, so that the memory lasts before anything is learned.
  bool unit_forget_bias = true;
  /// Added to each variance, above 0: the memory of the first steps hardly varies. The default is
  /// that of TensorFlow Addons; PyTorch's normalizations have 1e-5.
  double epsilon = 1e-3;
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
    f("epsilon", self.epsilon);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// An LSTM layer whose products with x and with h, and whose memory, are normalized over their
/// units (Ba, Kiros & Hinton 2016, equations 20 to 22; TensorFlow Addons' LayerNormLSTMCell).
///
///   z = gamma_x N(x W) + gamma_h N(h U) + b, c' = gamma_c N(f c + i g) + beta_c, h' = o phi(c'),
///
/// with i, f, g, o of z as in LSTM, and N(a) = (a - mean(a)) / sqrt(variance(a) + epsilon). The
/// normalized c' goes on to the next step.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without. The
/// state of a sequence is h, then c: 2 U numbers. Parameters: kernel (F, 4U), recurrent_kernel
/// (U, 4U), kernel_gamma and recurrent_gamma (4U), which are gamma_x and gamma_h; state_gamma and
/// state_beta (U), which are gamma_c and beta_c; bias (4U). The order of the gates is i, f, g, o.
///
///   LayerNormLSTM{50}, LayerNormLSTM{50, return_sequences, {.dropout = 0.2}}
///
/// Making it throws ValueError on units below 1 and on options out of range.
template <class Scalar = float, bool ReturnsSequences = false>
class LayerNormLSTM
    : public detail::OptionLayer<LayerNormLSTM<Scalar, ReturnsSequences>,
                                 detail::LayerNormLSTMCell<Scalar, LayerNormLSTMOptions>,
                                 LayerNormLSTMOptions, ReturnsSequences> {
 public:
  using LayerNormLSTM::OptionLayer::OptionLayer;
};

LayerNormLSTM(Index, LayerNormLSTMOptions = {})->LayerNormLSTM<>;
LayerNormLSTM(Index, ReturnSequences, LayerNormLSTMOptions = {})->LayerNormLSTM<float, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<LayerNormLSTM<Scalar, Sequences>>
    : HeldRecurrent<HeldKind::layer_norm_lstm, Sequences> {};

}  // namespace strata::detail
