#pragma once

#include <cstdint>

#include <strata/random.hpp>
#include <strata/tensor.hpp>

namespace strata::test {

/// A tensor of normal numbers with the mean 0 and the deviation `scale`.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> noise(const Shape& shape, std::uint64_t seed, double scale = 1) {
  Tensor<Scalar> x(shape);
  Random random(seed);
  for (Scalar& value : x.values()) value = static_cast<Scalar>(scale * random.normal());
  return x;
}

}  // namespace strata::test
