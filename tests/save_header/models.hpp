#pragma once

#include <string>
#include <vector>

#include <strata/strata.hpp>

namespace strata::test {

/// Data for a model, the same for who writes its header and who reads it.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> header_input(Index features) {
  Tensor<Scalar> x({2, 4, features});
  Random random(2);
  for (Scalar& value : x.values()) value = static_cast<Scalar>(random.normal());
  return x;
}

/// f(name, model) for models of all kinds of layers that take sequences.
template <class F>
void for_each_header_model(F f) {
  Sequential<> amp;
  amp.add(Input{Dynamic, 1});
  amp.add(LSTM{5, return_sequences});
  amp.add(LSTM{4, return_sequences, {.activation = Activation::softsign, .dropout = 0.25}});
  amp.add(Dense{1, Activation::tanh});
  f("amp", amp);

  Sequential nested{
      Input{4, 3},
      Masking{0.5},
      Residual{Bidirectional{GRU<float, Dynamic, Dynamic, true>{3}, Merge::sum}},
      SkipConnections{LSTM{2, return_sequences}, TimeDistributed{Dense{2}},
                      DeepTransitionRNN{3, return_sequences, {.transitions = {2, 3}}}},
      AllOutputs{Dense{3}, LSTM{2, return_sequences}},
      Residual{Chain{Dense{3}, LSTM{5, return_sequences}}},
      WindowStack{WindowLSTM{3, return_sequences, {.characters = 2, .length = 4}},
                  LSTM{2, return_sequences}, GRU{2, return_sequences}},
      LayerNormalization{{.epsilon = 0.01, .scale = false}},
      BatchNormalization{},
      Normalization{},
      Normalization{{.mean = {0.5}, .variance = {4}, .invert = true}},
      Dropout{0.2, {.same_for_all_steps = true}},
      GaussianNoise{0.1},
      ExtendedLSTM{4, return_sequences, {.projection = 3, .cell_clip = 0.5}},
      CoupledLSTM{3, return_sequences},
      LayerNormLSTM{3, return_sequences},
      ResetBeforeGRU{3, return_sequences, {.go_backwards = true}},
      SimpleRNN{3, return_sequences, {.use_bias = false}},
      AttentionPooling{2},
      RepeatVector{2},
      Flatten{},
      Reshape{3, 2},
      LastStep{},
      Activate{Activation::relu}};
  f("nested", nested);

  Sequential<double> fine;
  fine.add(Input{Dynamic, 2});
  fine.add(LSTM{3});
  fine.add(Dense{2, Activation::softmax});
  f("fine", fine);
}

}  // namespace strata::test
