#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <strata/layers/masking.hpp>
#include <strata/strata.hpp>

#include "catch.hpp"
#include "golden.hpp"
#include "named_activations.hpp"
#include "precision_golden.hpp"

namespace strata::test {

/// Splits "a.b.c" at its dots.
[[nodiscard]] inline std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words{""};
  for (const char letter : name) {
    if (letter == '.')
      words.emplace_back();
    else
      words.back() += letter;
  }
  return words;
}

/// The words of a golden case, which say what its layer is.
struct CaseName {
  explicit CaseName(const std::string& name) : words(words_of(name)) {}

  [[nodiscard]] bool has(const std::string& word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
  /// The word after another; empty where there is none.
  [[nodiscard]] std::string after(const std::string& word) const {
    const auto at = std::find(words.begin(), words.end(), word);
    return at == words.end() || at + 1 == words.end() ? "" : *(at + 1);
  }

  std::vector<std::string> words;
};

/// A recurrent layer of type Layer<..., sequences or not>, with options.
template <template <class, bool> class Layer, class Scalar, class Options>
[[nodiscard]] AnyLayer<Scalar> recurrent_layer(Index units, bool sequences,
                                               const Options& options) {
  if (sequences) return AnyLayer<Scalar>(Layer<Scalar, true>(units, options));
  return AnyLayer<Scalar>(Layer<Scalar, false>(units, options));
}

template <class Scalar, bool Sequences>
using AnyLSTM = LSTM<Scalar, Dynamic, Dynamic, Sequences>;
template <class Scalar, bool Sequences>
using AnyGRU = GRU<Scalar, Dynamic, Dynamic, Sequences>;
template <class Scalar, bool Sequences>
using AnySimpleRNN = SimpleRNN<Scalar, Dynamic, Dynamic, Sequences>;

/// Sets the parameters of a built layer to the records `prefix` + name.
template <class Scalar>
void load_layer(AnyLayer<Scalar>& layer, const Golden& golden, const std::string& prefix) {
  load_parameters(layer.parameters(), golden, prefix);
}

/// Predictions of built layers with 16-bit weights against the outputs of a case. `initial` is
/// empty, or has for each sequence the states of all layers.
inline void check_chain_in_16_bits(const Golden& golden, const std::string& name,
                                   const std::vector<AnyLayer<float>>& layers, const Mask& mask,
                                   const std::vector<float>& initial) {
  Sequential<float> model;
  model.add(Input{Dynamic, golden[name + ".x"].shape.back()});
  for (const auto& layer : layers) model.add(layer);
  State<float> state = model.zero_state(golden[name + ".x"].shape[0]);
  if (!initial.empty()) {
    auto from = initial.begin();
    for (Index b = 0; b < state.batch; ++b) {
      for (std::size_t i = 0; i < layers.size(); ++i) {
        std::copy_n(from, state.size(i), state.rows(i)(b));
        from += state.size(i);
      }
    }
  }
  check_predictions_in_16_bits(golden, name, model, mask, &state);
}

/// Outputs, states and gradients of a chain of layers against the records of a case, as far as it
/// has them. Weights are "weight.kernel" of one layer, "weight.0.kernel" of several; the states of
/// all layers lie side by side. Without `training`, only the outputs and states of a prediction are
/// compared. `slack` multiplies the tolerances.
template <class Scalar>
void check_chain(const Golden& golden, const std::string& name,
                 std::vector<AnyLayer<Scalar>> layers, const Mask& mask, bool training = true,
                 double slack = 1) {
  const auto wider = [slack](const Tolerance& t) {
    return Tolerance{slack * t.absolute, slack * t.relative};
  };
  const Tolerance values = wider(tolerance<Scalar>.values);
  INFO(name);
  const std::size_t count = layers.size();
  const auto prefix = [&](const std::string& part, std::size_t i) {
    return name + "." + part + "." + (count > 1 ? std::to_string(i) + "." : "");
  };
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  Index size = 0;
  Index features = x.features();
  for (std::size_t i = 0; i < count; ++i) {
    layers[i].build(features);
    load_layer(layers[i], golden, prefix("weight", i));
    size += layers[i].state_size();
    features = layers[i].output_shape(Shape{1, 1, features}).back();
  }

  const auto optional = [&](const std::string& part) {
    return golden.contains(name + "." + part) ? golden[name + "." + part].template flat<Scalar>()
                                              : std::vector<Scalar>();
  };
  std::vector<Scalar> initial = optional("initial");
  const std::vector<Scalar> final_weighting = optional("final_weighting");
  std::vector<Scalar> state(static_cast<std::size_t>(x.batch() * size));
  std::vector<Scalar> dinitial(state.size());
  std::vector<Pass<Scalar>> passes(count);
  for (Index offset = 0; auto& pass : passes) {
    if (!mask.empty()) pass.mask = &mask;
    if (!initial.empty()) pass.initial_state = {initial.data() + offset, size};
    pass.final_state = {state.data() + offset, size};
    if (!final_weighting.empty()) pass.final_derivative = {final_weighting.data() + offset, size};
    if (golden.contains(name + ".grad.initial")) {
      pass.initial_derivative = {dinitial.data() + offset, size};
    }
    offset += layers[static_cast<std::size_t>(&pass - passes.data())].state_size();
  }

  std::vector<typename AnyLayer<Scalar>::Packed> packed(count);
  std::vector<std::shared_ptr<void>> tapes(count);
  std::vector<Tensor<Scalar>> y(count);
  const auto input = [&](std::size_t i) -> const Tensor<Scalar>& { return i == 0 ? x : y[i - 1]; };
  const auto check_outputs = [&] {
    require_tensor_close(y.back(), golden, name + ".y", values);
    if (golden.contains(name + ".final")) {
      require_close(state, golden[name + ".final"].values, values, name + ".final");
    }
  };
  for (std::size_t i = 0; i < count; ++i) {
    layers[i].pack(packed[i], false);
    layers[i].forward(packed[i], input(i), y[i], passes[i]);
  }
  check_outputs();
  if constexpr (std::is_same_v<Scalar, float>) {
    check_chain_in_16_bits(golden, name, layers, mask, initial);
  }
  if (!training) return;

  for (std::size_t i = 0; i < count; ++i) {
    layers[i].pack(packed[i], true);
    layers[i].forward(packed[i], input(i), tapes[i], y[i], passes[i]);
  }
  check_outputs();
  const Tolerance gradients = wider(tolerance<Scalar>.gradients);
  auto dy = golden[name + ".weighting"].template tensor<Scalar>();
  Tensor<Scalar> dx;
  for (std::size_t i = count; i-- > 0;) {
    std::vector<Scalar> gradient(static_cast<std::size_t>(layers[i].parameter_count()));
    layers[i].backward(packed[i], input(i), y[i], dy, tapes[i], gradient, &dx, passes[i]);
    require_parameters_close<Scalar>(layers[i].parameters(), gradient, golden, prefix("grad", i),
                                     gradients);
    dy.swap(dx);
  }
  require_tensor_close(dy, golden, name + ".grad.x", gradients);
  if (golden.contains(name + ".grad.initial")) {
    require_close(dinitial, golden[name + ".grad.initial"].values, gradients,
                  name + ".grad.initial");
  }
}

/// The same of one layer, with the case's mask where it has one.
template <class Scalar>
void check_recurrent(const Golden& golden, const std::string& name, AnyLayer<Scalar> layer,
                     bool training = true, double slack = 1) {
  Mask mask;
  if (golden.contains(name + ".mask")) {
    mask = Mask(golden[name + ".mask"].template tensor<Scalar>());
  }
  check_chain<Scalar>(golden, name, {std::move(layer)}, mask, training, slack);
}

}  // namespace strata::test
