#pragma once

#include <strata/target.hpp>

namespace strata::detail {

/// f(name, option) for the options of every recurrent layer, in their order.
template <class Options, class F>
void each_recurrent_option(Options& options, F& f) {
  f("dropout", options.dropout);
  f("recurrent_dropout", options.recurrent_dropout);
  f("zoneout", options.zoneout);
  if constexpr (requires { options.memory_zoneout; }) f("memory_zoneout", options.memory_zoneout);
  f("go_backwards", options.go_backwards);
  f("zero_output_for_mask", options.zero_output_for_mask);
  f("recompute", options.recompute);
}

}  // namespace strata::detail

namespace strata {

/// The options that every recurrent layer has, whatever its cell. All are off, as in Keras: a layer
/// without options is the equations of its cell.
///
///   Recurrent{GatedCell<MyGates>{64}, return_sequences, {.dropout = 0.2, .zoneout = 0.1}}
struct RecurrentOptions {
  /// The share of the inputs x that is dropped in training, at least 0 and below 1. A sequence
  /// drops the same features in all of its steps (Gal & Ghahramani 2016).
  double dropout = 0;
  /// The same share of h on its way to the recurrent kernel.
  double recurrent_dropout = 0;
  /// The share of the outputs that keep their value from the step before, drawn anew for each step
  /// of a training; prediction takes the mean of both values (Krueger et al. 2017).
  double zoneout = 0;
  /// The same share of the memories.
  double memory_zoneout = 0;
  /// Whether the layer reads the sequence from its end. Its outputs then come in the order of
  /// reading, last step first, as in Keras.
  bool go_backwards = false;
  /// Whether the output of a masked step is zeros. Otherwise a masked step repeats the output of
  /// the step before.
  bool zero_output_for_mask = false;
  /// Whether training keeps only the outputs and memories of all steps, and computes the gates
  /// again on the way back: less than half of the memory, for about a third more time (Chen et al.
  /// 2016). Off, since most sequences fit.
  bool recompute = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    detail::each_recurrent_option(self, f);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// The RecurrentOptions among the options of a layer.
template <class Options>
[[nodiscard]] RecurrentOptions recurrent_options_of(const Options& options) {
  RecurrentOptions own{.dropout = options.dropout,
                       .recurrent_dropout = options.recurrent_dropout,
                       .zoneout = options.zoneout,
                       .go_backwards = options.go_backwards,
                       .zero_output_for_mask = options.zero_output_for_mask,
                       .recompute = options.recompute};
  if constexpr (requires { options.memory_zoneout; }) own.memory_zoneout = options.memory_zoneout;
  return own;
}

}  // namespace strata::detail::inline STRATA_TARGET
