#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <strata/contracts/layer.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/mask.hpp>
#include <strata/tensor.hpp>

#include "golden.hpp"
#include "tolerance.hpp"

namespace strata::test {

/// The mask of a case; empty where it has none.
[[nodiscard]] inline Mask mask_of(const Golden& golden, const std::string& name) {
  if (!golden.contains(name + ".mask")) return {};
  return Mask(golden[name + ".mask"].tensor<double>());
}

template <class Scalar>
[[nodiscard]] Pass<Scalar> pass_with(const Mask& mask) {
  return {.mask = mask.empty() ? nullptr : &mask};
}

/// Compares the output and the gradients of a training pass. The scalar whose gradients the file
/// holds is the sum of the outputs times the record "weighting". `input`: the record of the input;
/// the derivatives by "x" are in "grad.x". `kind`: where a case names its parameters by the kind of
/// the layer, "lstm." for "weight.lstm.kernel".
template <class L>
typename L::Tape check_training(const Golden& golden, const std::string& name, L& layer,
                                const Mask& mask, const std::string& input = "x",
                                const std::string& kind = "") {
  using Scalar = typename L::scalar_type;
  const auto x = golden[name + "." + input].template tensor<Scalar>();
  const auto pass = pass_with<Scalar>(mask);
  typename L::Packed packed;
  typename L::Tape tape;
  Tensor<Scalar> y;
  layer.pack(packed, true);
  layer.forward(packed, x, tape, y, pass);
  require_tensor_close(y, golden, name + ".y", tolerance<Scalar>.values);

  std::vector<Parameter<Scalar>> trainable;
  std::size_t count = 0;
  std::size_t trained = 0;
  for (const auto& parameter : layer.parameters()) {
    count += parameter.values.size();
    if (!parameter.trainable) continue;
    REQUIRE(trained + parameter.values.size() == count);
    trained = count;
    trainable.push_back(parameter);
  }
  std::vector<Scalar> gradient(count);
  auto dy = golden[name + ".weighting"].template tensor<Scalar>();
  Tensor<Scalar> dx;
  layer.backward(packed, x, y, dy, tape, gradient, &dx, pass);
  if (input == "x") {
    require_tensor_close(dx, golden, name + ".grad.x", tolerance<Scalar>.gradients);
  }
  const std::span<const Scalar> all(gradient);
  require_parameters_close<Scalar>(trainable, all.first(trained), golden, name + ".grad." + kind,
                                   tolerance<Scalar>.gradients);
  for (const Scalar rest : all.subspan(trained)) REQUIRE(rest == 0);
  return tape;
}

/// Compares the output of a prediction.
template <class L>
void check_prediction(const Golden& golden, const std::string& name, L& layer, const Mask& mask,
                      const std::string& input = "x", const std::string& output = "y") {
  using Scalar = typename L::scalar_type;
  typename L::Packed packed;
  Tensor<Scalar> y;
  layer.pack(packed, false);
  layer.forward(packed, golden[name + "." + input].template tensor<Scalar>(), y,
                pass_with<Scalar>(mask));
  require_tensor_close(y, golden, name + "." + output, tolerance<Scalar>.values);
}

/// Compares a layer that computes the same in training and in prediction, after it has taken the
/// weights of the case.
template <class L>
void check_layer(const Golden& golden, const std::string& name, L layer,
                 const std::string& input = "x", const std::string& kind = "") {
  INFO(name);
  const Mask mask = mask_of(golden, name);
  if (layer.inputs() == Dynamic) layer.build(golden[name + "." + input].shape.back());
  load_parameters(layer.parameters(), golden, name + ".weight." + kind);
  check_training(golden, name, layer, mask, input, kind);
  check_prediction(golden, name, layer, mask, input);
}

}  // namespace strata::test
