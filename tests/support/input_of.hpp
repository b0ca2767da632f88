#pragma once

#include <strata/model/sequential.hpp>
#include <strata/random.hpp>
#include <strata/tensor.hpp>

namespace strata::test {

/// Random numbers, or ids below 5, of the shape that the model takes; sizes that it leaves open are
/// 3 for the batch's axis, 4 for the next.
template <class Model>
[[nodiscard]] Tensor<float> input_of(const Model& model) {
  Shape shape = model.input()->shape();
  const bool ids = model.layers().front().accepts() == Accepts::ids;
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == Dynamic) shape[axis] = axis + 3;
  }
  Tensor<float> x(shape);
  Random random(3);
  for (float& value : x.values()) {
    value = ids ? static_cast<float>(random.below(5)) : static_cast<float>(random.normal());
  }
  return x;
}

}  // namespace strata::test
