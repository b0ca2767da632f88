#pragma once

#include <type_traits>

#include <strata/target.hpp>

namespace strata::detail {

/// The kinds of layers that strata::compiled holds, with sizes chosen at run time, for float and
/// double. The library has its tables (`LayerTables`) in the order of `Held::number`.
enum class HeldKind {
  activate,
  attention_pooling,
  batch_normalization,
  conv1d,
  dense,
  dropout,
  elu,
  embedding,
  flatten,
  gaussian_noise,
  last_step,
  layer_normalization,
  masking,
  max_over_steps,
  mean_over_steps,
  normalization,
  prelu,
  relu,
  repeat_vector,
  rescaling,
  reshape,
  // Recurrent layers: each has four numbers, see HeldRecurrent.
  coupled_lstm,
  deep_transition_rnn,
  extended_lstm,
  gru,
  layer_norm_lstm,
  lstm,
  reset_before_gru,
  simple_rnn,
  window_lstm
};

/// The losses and metrics that strata::compiled holds. Losses come first; they serve as metrics
/// too.
enum class HeldFigure {
  mean_squared_error,
  mean_absolute_error,
  huber,
  binary_crossentropy,
  categorical_crossentropy,
  sparse_categorical_crossentropy,
  ctc,
  gaussian_nll,
  quantiles,
  mixture_density,
  pen_density,
  binary_accuracy,
  categorical_accuracy,
  sparse_categorical_accuracy,
  accuracy,
  root_mean_squared_error,
  label_error_rate
};
inline constexpr int held_losses = static_cast<int>(HeldFigure::binary_accuracy);
inline constexpr int held_figures = static_cast<int>(HeldFigure::label_error_rate) + 1;

/// The update rules that strata::compiled holds.
enum class HeldRule { sgd, rmsprop, adam, adam_w };
inline constexpr int held_rules = static_cast<int>(HeldRule::adam_w) + 1;

/// The number in the library of a layer, figure or rule.
template <auto kind>
struct HeldAs {
  static constexpr int number = static_cast<int>(kind);
};

/// The number of a recurrent layer in the library: alone or in a Bidirectional, with
/// return_sequences or without.
template <HeldKind kind, bool Sequences>
struct HeldRecurrent {
  static constexpr int first_kind = static_cast<int>(HeldKind::coupled_lstm);
  static constexpr int number =
      first_kind + 4 * (static_cast<int>(kind) - first_kind) + (Sequences ? 1 : 0);
  /// In a Bidirectional.
  static constexpr int both_ways = number + 2;
};

inline constexpr int held_layers = HeldRecurrent<HeldKind::window_lstm, true>::both_ways + 1;

/// Beside the class of a layer, figure or rule that the library holds, Held is specialised by
/// HeldAs or HeldRecurrent.
template <class T>
struct Held {
  static constexpr int number = -1;
};

/// Whether the program uses the code that the library has for a T, in place of code of its own.
/// Always false in header-only programs.
template <class T>
inline constexpr bool is_held =
#if defined(STRATA_COMPILED) && !defined(STRATA_PROCESSOR_CODE)
    Held<std::remove_const_t<T>>::number >= 0;
#else
    false;
#endif

}  // namespace strata::detail
