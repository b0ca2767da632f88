#pragma once

#include <string>
#include <vector>

#include <strata/strata.hpp>

namespace strata::test {

/// A layer that the laws are checked for. A new layer needs an entry in layer_cases and no more.
template <class Scalar>
struct LayerCase {
  std::string name;
  AnyLayer<Scalar> layer;
  Index features;
  /// Whether the layer can run step by step.
  bool streams = true;
  /// Whether training draws random numbers, so that it differs from prediction.
  bool random = false;
};

/// All kinds of layers, with sizes that are no multiple of a register and with other options.
template <class Scalar>
[[nodiscard]] std::vector<LayerCase<Scalar>> layer_cases() {
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
        Activation::elu, Activation::exponential, Activation::softmax}) {
    add("Dense, " + std::string(name(activation)), Dense<Scalar>{4, activation}, 3);
  }
  add("Dropout", Dropout<Scalar>{0.4}, 4, true, true);
  for (auto& one : cases) {
    one.layer.build(one.features);
    one.layer.initialize(Random(7));
    // Biases that start at zero would hide mistakes.
    Random random(11);
    for (auto& parameter : one.layer.parameters()) {
      if (!parameter.name.ends_with("bias")) continue;
      for (Scalar& value : parameter.values) value += Scalar(0.2 * random.normal());
    }
  }
  return cases;
}

template <class Scalar>
[[nodiscard]] Tensor<Scalar> random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor<Scalar> tensor(shape);
  Random random(seed);
  for (Scalar& value : tensor.values()) value = Scalar(random.normal());
  return tensor;
}

/// The layer's prediction.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const LayerRef<Scalar>& layer, const Tensor<Scalar>& x) {
  typename LayerRef<Scalar>::Packed packed;
  layer.pack(packed, false);
  Tensor<Scalar> y;
  layer.forward(packed, x, y);
  return y;
}

}  // namespace strata::test
