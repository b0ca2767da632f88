#pragma once

#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/held.hpp>
#include <strata/initializers.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/recurrent/options.hpp>
#include <strata/recurrent/products/deep_transition_cell.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a DeepTransitionRNN. The initializers are those of Keras' SimpleRNN.
///
///   DeepTransitionRNN{200, {.transitions = {400, 200}, .shortcut = true}}
struct DeepTransitionOptions {
  /// Units of the layers between h and the next h, from the first to the last. At least one:
  /// without any the layer is a SimpleRNN.
  std::vector<Index> transitions = {};
  /// Whether h also reaches the next h past the layers between them, the (S) of Pascanu et al. Off,
  /// as in the DT-RNN; derivatives over many steps are larger with it.
  bool shortcut = false;
  /// phi, of every layer. tanh, whose values stay in (-1, 1) however many steps there are.
  Activation activation = Activation::tanh;
  /// Draws W of every layer. GlorotUniform keeps the variance from layer to layer.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws U and S. Orthogonal keeps the length of h over many steps.
  Initializer recurrent_initializer = Orthogonal{};
  /// Draws b of every layer.
  Initializer bias_initializer = Zeros{};
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
    f("transitions", self.transitions);
    f("shortcut", self.shortcut);
    f("activation", self.activation);
    f("kernel_initializer", self.kernel_initializer);
    f("recurrent_initializer", self.recurrent_initializer);
    f("bias_initializer", self.bias_initializer);
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// The DT-RNN of Pascanu et al. 2013: several layers between h and the next h,
///
///   z_1 = phi(x W + h U + b), z_k = phi(z_(k-1) W_(k-1) + b_(k-1)), h' = phi(z_L W_L + b_L),
///
/// and with a shortcut, DT(S)-RNN, h' = phi(z_L W_L + b_L + h S). With Dense layers after it, on
/// every step, it is their DOT-RNN; stacked SimpleRNN layers are their sRNN.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters, with D_k the k-th of the transitions and the last D followed by U: kernel (F, D_1),
/// recurrent_kernel (U, D_1), bias (D_1); for each k, transition_k.kernel (D_k, D_(k+1)) and
/// transition_k.bias (D_(k+1)); with a shortcut, shortcut_kernel (U, U).
///
///   DeepTransitionRNN{50, return_sequences, {.transitions = {100}}}
///
/// Making it throws ValueError on units below 1, without transitions, and on options out of range.
template <class Scalar = float, bool ReturnsSequences = false>
class DeepTransitionRNN
    : public detail::OptionLayer<DeepTransitionRNN<Scalar, ReturnsSequences>,
                                 detail::DeepTransitionCell<Scalar, DeepTransitionOptions>,
                                 DeepTransitionOptions, ReturnsSequences> {
 public:
  using DeepTransitionRNN::OptionLayer::OptionLayer;
};

DeepTransitionRNN(Index, DeepTransitionOptions)->DeepTransitionRNN<>;
DeepTransitionRNN(Index, ReturnSequences, DeepTransitionOptions)->DeepTransitionRNN<float, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<DeepTransitionRNN<Scalar, Sequences>>
    : HeldRecurrent<HeldKind::deep_transition_rnn, Sequences> {};

}  // namespace strata::detail
