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
  /// F, or the number of ids.
  Index features;
  /// Whether the layer can run step by step.
  bool streams = true;
  /// Whether training draws random numbers, so that it differs from prediction.
  bool random = false;
  /// Whether training uses the statistics of the batch, so that it differs from prediction.
  bool statistics = false;
  /// Whether the weights start from random numbers.
  bool drawn = true;

  /// B sequences of T steps, of features or ids, or B samples, whichever the layer takes.
  [[nodiscard]] Tensor<Scalar> input(Index batch, Index steps, std::uint64_t seed) const;
};

template <class Scalar>
[[nodiscard]] Tensor<Scalar> random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor<Scalar> tensor(shape);
  Random random(seed);
  for (Scalar& value : tensor.values()) value = Scalar(random.normal());
  return tensor;
}

template <class Scalar>
Tensor<Scalar> LayerCase<Scalar>::input(Index batch, Index steps, std::uint64_t seed) const {
  if (layer.accepts() == Accepts::samples) return random_tensor<Scalar>({batch, features}, seed);
  if (layer.accepts() != Accepts::ids) {
    return random_tensor<Scalar>({batch, steps, features}, seed);
  }
  Tensor<Scalar> ids({batch, steps});
  Random draw(seed);
  for (Scalar& id : ids.values()) id = Scalar(draw.below(features));
  return ids;
}

/// All kinds of layers, built, with sizes that are no multiple of a register and with other
/// options. They are listed, and compiled once for all tests, in layer_cases_*.cpp.
template <class Scalar>
[[nodiscard]] std::vector<LayerCase<Scalar>> layer_cases();
extern template std::vector<LayerCase<float>> layer_cases<float>();
extern template std::vector<LayerCase<double>> layer_cases<double>();

/// The layer's prediction.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const ForwardRef<Scalar>& layer, const Tensor<Scalar>& x) {
  PackedLayer packed;
  layer.pack(packed, false);
  Tensor<Scalar> y;
  layer.forward(packed, x, y, {});
  return y;
}

}  // namespace strata::test
