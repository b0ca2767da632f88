#pragma once

#include <strata/strata.hpp>

namespace strata::test {

/// Recurrent layers besides the plain LSTM: add(name, layer, features, streams, random).
template <class Scalar, class Add>
void add_recurrent_layers(Add add) {
  using std::string;
  const auto both = [&]<template <class, bool> class Layer, class Options>(
                        const string& name, Index units, Index features, const Options& options,
                        bool streams = true, bool random = false) {
    add(name, Layer<Scalar, false>(units, options), features, streams, random);
    add(name + ", sequences", Layer<Scalar, true>(units, options), features, streams, random);
  };
  const auto gru = [&](const string& name, Index units, Index features, GRUOptions options,
                       bool streams = true, bool random = false) {
    add(name, GRU<Scalar>(units, options), features, streams, random);
    add(name + ", sequences", GRU<Scalar, Dynamic, Dynamic, true>(units, options), features,
        streams, random);
  };
  gru("GRU", 5, 3, {});
  gru("GRU, wide", 37, 19, {});
  gru("GRU, no bias, clip", 4, 3, {.use_bias = false, .activation_clip = 0.7});
  gru("GRU, dropouts", 6, 5, {.dropout = 0.3, .recurrent_dropout = 0.4}, true, true);
  gru("GRU, zoneout", 6, 5, {.zoneout = 0.3}, true, true);
  add("GRU, fixed sizes", GRU<Scalar, 3, 5, true>{}, 3, true, false);
  add("GRU, fixed sizes, zoneout", GRU<Scalar, 3, 5, true>{{.zoneout = 0.3}}, 3, true, true);
  add("SimpleRNN", SimpleRNN<Scalar>{5}, 3, true, false);
  add("SimpleRNN, wide", SimpleRNN<Scalar, Dynamic, Dynamic, true>{37}, 19, true, false);
  add("SimpleRNN, fixed sizes", SimpleRNN<Scalar, 3, 5, true>{}, 3, true, false);
  add("SimpleRNN, clip", SimpleRNN<Scalar>{4, {.activation_clip = 0.5}}, 3, true, false);

  both.template operator()<ResetBeforeGRU>("ResetBeforeGRU", 5, 3, GRUOptions());
  both.template operator()<ResetBeforeGRU>(
      "ResetBeforeGRU, backwards, clip", 19, 2,
      GRUOptions{.use_bias = false, .activation_clip = 0.7, .go_backwards = true}, false);
  both.template operator()<ExtendedLSTM>("ExtendedLSTM", 5, 3, ExtendedLSTMOptions());
  both.template operator()<ExtendedLSTM>("ExtendedLSTM, projection", 19, 3,
                                         ExtendedLSTMOptions{.projection = 4});
  both.template operator()<ExtendedLSTM>(
      "ExtendedLSTM, clips", 4, 3,
      ExtendedLSTMOptions{
          .output_activation = Activation::softsign, .cell_clip = 0.4, .activation_clip = 0.8});
  both.template operator()<ExtendedLSTM>(
      "ExtendedLSTM, zoneout", 4, 3,
      ExtendedLSTMOptions{
          .peepholes = false, .projection = 3, .zoneout = 0.2, .memory_zoneout = 0.3},
      true, true);
  both.template operator()<CoupledLSTM>("CoupledLSTM", 5, 3, ExtendedLSTMOptions());
  both.template operator()<CoupledLSTM>("CoupledLSTM, clip", 5, 3,
                                        ExtendedLSTMOptions{.cell_clip = 0.4});
  both.template operator()<LayerNormLSTM>("LayerNormLSTM", 6, 3, LayerNormLSTMOptions());
  both.template operator()<DeepTransitionRNN>("DeepTransitionRNN", 5, 3,
                                              DeepTransitionOptions{.transitions = {4, 7}});
  both.template operator()<DeepTransitionRNN>(
      "DeepTransitionRNN, shortcut", 5, 3,
      DeepTransitionOptions{.transitions = {19}, .shortcut = true});

  both.template operator()<WindowLSTM>(
      "WindowLSTM", 5, 3, WindowLSTMOptions{.characters = 3, .length = 4, .gaussians = 2});
  both.template operator()<WindowLSTM>(
      "WindowLSTM, many places, no peepholes", 19, 2,
      WindowLSTMOptions{
          .characters = 5, .length = 21, .gaussians = 3, .advance = 1, .peepholes = false});
  both.template operator()<WindowLSTM>("WindowLSTM, dropouts, zoneout", 4, 3,
                                       WindowLSTMOptions{.characters = 2,
                                                         .length = 3,
                                                         .gaussians = 2,
                                                         .dropout = 0.3,
                                                         .recurrent_dropout = 0.2,
                                                         .zoneout = 0.2,
                                                         .memory_zoneout = 0.3},
                                       true, true);

  add("Bidirectional", Bidirectional{LSTM<Scalar>{4}}, 3, false, false);
  for (const Merge merge : {Merge::concat, Merge::sum, Merge::mul, Merge::ave}) {
    add("Bidirectional, sequences, merge " + std::to_string(static_cast<int>(merge)),
        Bidirectional{LSTM<Scalar, Dynamic, Dynamic, true>{3}, merge}, 2, false, false);
  }
  add("Bidirectional, dropouts",
      Bidirectional{GRU<Scalar, Dynamic, Dynamic, true>{
          3, {.dropout = 0.3, .recurrent_dropout = 0.2, .zoneout = 0.2}}},
      4, false, true);
  add("Bidirectional, fixed sizes", Bidirectional{LSTM<Scalar, 3, 5, true>{}}, 3, false, false);
}

/// The equations of JANET (van der Westhuizen & Lasenby 2018), as a user writes a cell.
struct ForgetGates {
  static constexpr const char* kind = "ForgetGates";
  static constexpr GateLayout layout{.gates = 2};

  template <class Step>
  auto operator()(Step& s) const {
    const auto f = activate(Activation::sigmoid, s.z[0]);
    const auto g = activate(Activation::tanh, s.z[1]);
    return g + f * (s.h - g);
  }
};

/// With all that a gated cell may have: a memory, and peepholes of one unit.
struct RichGates {
  static constexpr const char* kind = "RichGates";
  static constexpr GateLayout layout{.gates = 3, .memories = 2, .peepholes = 1};
  static constexpr std::array<const char*, 1> peephole_names{"peephole"};

  template <class Step>
  auto operator()(Step& s) const {
    const auto a = activate(Activation::sigmoid, s.z[0] + s.peephole[0] * s.memory[0]);
    const auto b = activate(Activation::softsign, s.z[1]);
    const auto c = activate(Activation::softplus, s.z[2] - s.memory[1]);
    s.memory[0] = a * s.memory[0] + b;
    s.memory[1] = c / (c + exp(s.memory[0]));
    return a * s.h + tanh(s.memory[0] * s.memory[1]);
  }
};

template <class Scalar, class Add>
void add_own_cells(Add add) {
  add("Recurrent, own cell", Recurrent{GatedCell<ForgetGates, Scalar>{5}}, 3, true, false);
  add("Recurrent, own cell, sequences",
      Recurrent{GatedCell<ForgetGates, Scalar>{19}, return_sequences}, 3, true, false);
  add("Recurrent, own cell with memories",
      Recurrent{GatedCell<RichGates, Scalar>{5}, return_sequences}, 3, true, false);
  add("Recurrent, own cell backwards",
      Recurrent{GatedCell<RichGates, Scalar>{5},
                return_sequences,
                {.dropout = 0.2, .recurrent_dropout = 0.3, .go_backwards = true}},
      3, false, true);
}

}  // namespace strata::test
