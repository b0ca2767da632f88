#pragma once

// The layers that the laws are checked for. A new layer needs an entry here and no more. They are
// compiled once for each scalar, in layer_cases_*.cpp.

#include "layer_cases.hpp"
#include "recurrent_cases.hpp"

namespace strata::test {

/// The layers before, between and after recurrent ones.
template <class Scalar>
void add_layers_around(std::vector<LayerCase<Scalar>>& cases) {
  using Sequence = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;
  const auto add = [&](const std::string& name, auto layer, Index features, bool streams = true) {
    cases.push_back({name, AnyLayer<Scalar>(std::move(layer)), features, streams});
  };
  const auto add_plain = [&](const std::string& name, auto layer) {
    add(name, std::move(layer), 5);
    cases.back().drawn = false;
  };
  add("Masking", Masking<Scalar>{0.5}, 3);
  add("Embedding", Embedding<Scalar>{7, 3}, 7);
  add("Embedding, mask of zero", Embedding<Scalar>{5, 9, {.mask_zero = true}}, 5);
  add("Embedding, fixed sizes", Embedding<Scalar, 6, 4>{}, 6);
  add("TimeDistributed", TimeDistributed{Dense<Scalar>{3, Activation::tanh}}, 5);
  add("RepeatVector", RepeatVector<Scalar>{3}, 4, false);
  add("Flatten", Flatten<Scalar>{}, 3, false);
  add("LastStep", LastStep<Scalar>{}, 5);
  for (const Activation activation : {Activation::tanh, Activation::softmax}) {
    add("Activation, " + std::string(name(activation)), Activate<Scalar>{activation}, 5);
  }
  add_plain("LayerNormalization", LayerNormalization<Scalar>{});
  add_plain("LayerNormalization, no center", LayerNormalization<Scalar>{{.center = false}});
  add_plain("LayerNormalization, no scale", LayerNormalization<Scalar>{{.scale = false}});
  add_plain("LayerNormalization, fixed sizes", LayerNormalization<Scalar, 5>{});
  for (const bool center : {false, true}) {
    add_plain(center ? "BatchNormalization, no scale" : "BatchNormalization, no center",
              BatchNormalization<Scalar>{{.center = center, .scale = !center}});
    cases.back().statistics = true;
  }
  add_plain("BatchNormalization", BatchNormalization<Scalar>{{.epsilon = 0.1}});
  cases.back().statistics = true;
  add_plain("BatchNormalization, fixed sizes", BatchNormalization<Scalar, 5>{});
  cases.back().statistics = true;
  add_plain("Normalization", Normalization<Scalar>{});
  add_plain("Normalization, inverse", Normalization<Scalar>{{.invert = true}});
  add_plain("Normalization, given", Normalization<Scalar>{{.mean = {0.5}, .variance = {4}}});
  add_plain("Normalization, fixed sizes", Normalization<Scalar, 5>{});
  add("GaussianNoise", GaussianNoise<Scalar>{0.2}, 4);
  cases.back().random = true;
  add("AttentionPooling", AttentionPooling<Scalar>{5}, 3, false);
  add("AttentionPooling, wide", AttentionPooling<Scalar>{37}, 19, false);
  add("AttentionPooling, fixed sizes", AttentionPooling<Scalar, 3, 5>{}, 3, false);
  add("MeanOverSteps", MeanOverSteps<Scalar>{}, 3, false);
  add("MaxOverSteps", MaxOverSteps<Scalar>{}, 3, false);
  add("ReLU", ReLU<Scalar>{{.max_value = 1.5, .negative_slope = 0.1, .threshold = 0.25}}, 5);
  add("ELU", ELU<Scalar>{{.alpha = 0.5}}, 5);
  add_plain("PReLU", PReLU<Scalar>{});
  add_plain("PReLU, fixed sizes", PReLU<Scalar, 5>{});
  add_plain("Rescaling", Rescaling<Scalar>{{.scale = {0.5}, .offset = {-2}}});
  add_plain("Rescaling, fixed sizes", Rescaling<Scalar, 5>{{.scale = {1, 2, 3, 4, 5}}});
  constexpr Padding causal = Padding::causal;
  add("Conv1D", Conv1D<Scalar>{4, 3, {.padding = causal}}, 5);
  add("Conv1D, valid", Conv1D<Scalar>{4, 2}, 5, false);
  add("Conv1D, dilated", Conv1D<Scalar>{3, 2, {.padding = causal, .dilation_rate = 3}}, 2);
  add("Conv1D, wide", Conv1D<Scalar>{37, 3, {.padding = causal, .activation = Activation::tanh}},
      19);
  add("Conv1D, one step, silu", Conv1D<Scalar>{3, 1, {.activation = Activation::silu}}, 5, false);
  add("Conv1D, fixed sizes",
      Conv1D<Scalar, 3, 5, 2>{{.padding = causal, .activation = Activation::gelu}}, 3);
  add("Residual", Residual{Sequence{5, return_sequences}}, 5);
  add("Residual, Dense", Residual{Dense<Scalar>{4}}, 4);
  add("Residual, Dropout", Residual{Dropout<Scalar>{0.4}}, 4);
  cases.back().random = true;
  add("SkipConnections",
      SkipConnections{Sequence{3, return_sequences}, GRU<Scalar, Dynamic, Dynamic, true>{4},
                      Dense<Scalar>{2}},
      5);
  add("SkipConnections, fixed sizes",
      SkipConnections<LSTM<Scalar, 2, 3, true>, LSTM<Scalar, 5, 4, true>>{}, 2);
  add("AllOutputs",
      AllOutputs{Sequence{3, return_sequences}, GRU<Scalar, Dynamic, Dynamic, true>{4},
                 Dense<Scalar>{2}},
      5);
  add("AllOutputs, fixed sizes", AllOutputs<LSTM<Scalar, 2, 3, true>, LSTM<Scalar, 3, 4, true>>{},
      2);
  add("Chain",
      Chain{Sequence{3, return_sequences}, Dense<Scalar>{4, Activation::tanh},
            Sequence{2, return_sequences}},
      5);
  add("Chain of any rank",
      Chain{Dense<Scalar>{3, Activation::silu}, Activate<Scalar>{Activation::tanh},
            Dense<Scalar>{4}},
      5);
  add("Chain, fixed sizes", Chain<Dense<Scalar, 2, 3>, LSTM<Scalar, 3, 4, true>>{}, 2);
  add("Residual of a Chain",
      Residual{Chain{Dense<Scalar>{7, Activation::relu}, Sequence{4, return_sequences}}}, 4);
  add("WindowStack",
      WindowStack{WindowLSTM<Scalar, true>{5, {.characters = 3, .length = 4, .gaussians = 2}},
                  GRU<Scalar, Dynamic, Dynamic, true>{4}, Sequence{2, return_sequences}},
      5);
  add("Residual in SkipConnections",
      SkipConnections{Sequence{3, return_sequences}, Residual{Sequence{8, return_sequences}}}, 5);
}

template <class Scalar>
std::vector<LayerCase<Scalar>> layer_cases() {
  std::vector<LayerCase<Scalar>> cases;
  const auto add = [&](const std::string& name, auto layer, Index features, bool streams = true,
                       bool random = false) {
    cases.push_back({name, AnyLayer<Scalar>(std::move(layer)), features, streams, random});
  };
  using Last = LSTM<Scalar>;
  using Sequence = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;
  add("LSTM", Last{5}, 3);
  add("LSTM, sequences", Sequence{7, return_sequences}, 2);
  add("LSTM, one unit", Sequence{1, return_sequences}, 1);
  add("LSTM, wide", Sequence{37, return_sequences}, 19);
  add("LSTM, fixed sizes", LSTM<Scalar, 3, 5, return_sequences>{}, 3);
  add("LSTM, fixed sizes, other activations",
      LSTM<Scalar, 3, 5, return_sequences>{
          {.activation = Activation::softsign, .recurrent_activation = Activation::softplus}},
      3);
  add("LSTM, no bias", Sequence{6, return_sequences, {.use_bias = false}}, 3);
  add("LSTM, backwards", Sequence{6, return_sequences, {.go_backwards = true}}, 3, false);
  add("LSTM, backwards, last", Last{6, {.go_backwards = true}}, 3, false);
  add("LSTM, other activations",
      Sequence{
          9,
          return_sequences,
          {.activation = Activation::softsign, .recurrent_activation = Activation::hard_sigmoid}},
      4);
  add("LSTM, smooth activations",
      Last{9, {.activation = Activation::elu, .recurrent_activation = Activation::softplus}}, 4);
  add("LSTM, dropout", Sequence{6, return_sequences, {.dropout = 0.3}}, 5, true, true);
  add("LSTM, recurrent dropout", Last{6, {.recurrent_dropout = 0.4}}, 5, true, true);
  add("LSTM, both dropouts, backwards",
      Sequence{
          6, return_sequences, {.dropout = 0.3, .recurrent_dropout = 0.4, .go_backwards = true}},
      5, false, true);
  add("Dense", Dense<Scalar>{3}, 5);
  add("Dense, wide", Dense<Scalar>{71}, 23);
  add("Dense, fixed sizes", Dense<Scalar, 5, 3>{Activation::tanh}, 5);
  add("Dense, no bias", Dense<Scalar>{4, {.use_bias = false}}, 3);
  for (const Activation activation :
       {Activation::sigmoid, Activation::tanh, Activation::softsign, Activation::softplus,
        Activation::elu, Activation::exponential, Activation::softmax, Activation::relu6,
        Activation::leaky_relu, Activation::hard_sigmoid_fifth, Activation::selu, Activation::silu,
        Activation::gelu, Activation::gelu_tanh, Activation::mish}) {
    add("Dense, " + std::string(name(activation)), Dense<Scalar>{4, activation}, 3);
  }
  add("Dropout", Dropout<Scalar>{0.4}, 4, true, true);
  add("Dropout, the same for all steps", Dropout<Scalar>{0.4, {.same_for_all_steps = true}}, 4,
      true, true);
  add_layers_around<Scalar>(cases);
  add_recurrent_layers<Scalar>(add);
  add_own_cells<Scalar>(add);
  for (auto& one : cases) {
    one.layer.build(one.features);
    one.layer.initialize(Random(7));
    // Biases and their like that start at zero or one would hide mistakes.
    Random random(11);
    for (auto& parameter : one.layer.parameters()) {
      if (parameter.name.ends_with("kernel")) continue;
      for (Scalar& value : parameter.values) value += Scalar(0.2 * random.normal());
    }
  }
  return cases;
}

}  // namespace strata::test
