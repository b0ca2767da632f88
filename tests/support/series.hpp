#pragma once

#include <cmath>

#include <strata/random.hpp>
#include <strata/tensor.hpp>

namespace strata::test {

/// A small task: sequences of noisy sines, and the value that comes after each.
template <class Scalar>
struct Series {
  Tensor<Scalar> x;
  Tensor<Scalar> y;
};

template <class Scalar>
[[nodiscard]] Series<Scalar> sines(Index samples, Index steps = 6, std::uint64_t seed = 1) {
  Series<Scalar> data{Tensor<Scalar>({samples, steps, 1}), Tensor<Scalar>({samples, 1})};
  Random random(seed);
  for (Index b = 0; b < samples; ++b) {
    const double phase = 6 * random.uniform();
    for (Index t = 0; t < steps; ++t) {
      const double noise = 0.02 * (random.uniform() - 0.5);
      data.x(b, t, 0) = static_cast<Scalar>(std::sin(phase + 0.5 * static_cast<double>(t)) + noise);
    }
    data.y(b, 0) = static_cast<Scalar>(std::sin(phase + 0.5 * static_cast<double>(steps)));
  }
  return data;
}

}  // namespace strata::test
