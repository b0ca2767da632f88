#pragma once

#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

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

}  // namespace detail

/// What every recurrent layer can do, whatever its cell.
struct RecurrentOptions {
  /// Share of the inputs, and of the outputs fed back, that is dropped in training; the same ones
  /// in every step of a sequence (Gal & Ghahramani 2016).
  double dropout = 0;
  double recurrent_dropout = 0;
  /// Share of the outputs, and of the memories, that keep their value from the step before, drawn
  /// anew for each step; in prediction the mean is taken (Krueger et al. 2017).
  double zoneout = 0;
  double memory_zoneout = 0;
  /// Reads the sequence from its end; outputs come in the order of reading, as in Keras.
  bool go_backwards = false;
  /// Outputs of masked steps: zeros, instead of the output before them.
  bool zero_output_for_mask = false;
  /// In training, keeps only the outputs and memories of all steps and computes the rest again on
  /// the way back: less than half of the memory, about a third more time (Chen et al. 2016).
  bool recompute = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    detail::each_recurrent_option(self, f);
  }
};

namespace detail {

/// What the options of a layer say to every recurrent layer.
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

}  // namespace detail
}  // namespace strata::inline STRATA_TARGET
