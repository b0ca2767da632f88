#pragma once

#include <cmath>

#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The mean and the factor that take a row of numbers to mean 0 and variance 1: (x - mean) factor,
/// where factor = 1 / sqrt(variance + epsilon) (Ba et al. 2016).
template <class Scalar>
struct Normal {
  using P = Pack<Scalar>;

  Scalar mean;
  Scalar factor;

  Normal(const Scalar* x, Index size, Scalar epsilon) noexcept {
    const auto mean_over = [&](auto f) { return sum_over(size, f, x) / static_cast<Scalar>(size); };
    mean = mean_over([](P value) { return value; });
    const auto variance =
        mean_over([m = P::broadcast(mean)](P value) { return (value - m) * (value - m); });
    factor = 1 / std::sqrt(variance + epsilon);
  }

  [[nodiscard]] P operator()(P x) const noexcept {
    return (x - P::broadcast(mean)) * P::broadcast(factor);
  }
};

/// Takes the values to mean 0 and variance 1, in place. Returns the factor, for normal_backward.
template <class Scalar>
[[nodiscard]] Scalar normalize(Scalar* values, Index size, Scalar epsilon) noexcept {
  const Normal<Scalar> normal(values, size, epsilon);
  transform(size, values, normal, static_cast<const Scalar*>(values));
  return normal.factor;
}

/// to = the derivatives by the values that were normalized, from `d`, the derivatives by gamma
/// times the normalized values. `to` may be `normalized` or `d`.
template <class Scalar>
void normal_backward(Index size, const Scalar* normalized, Scalar factor, const Scalar* gamma,
                     const Scalar* d, Scalar* to) noexcept {
  using P = Pack<Scalar>;
  const Scalar sum = dot(size, d, gamma);
  const Scalar along = sum_over(
      size, [](P slope, P scale, P value) { return slope * scale * value; }, d, gamma, normalized);
  transform(
      size, to,
      [factor = P::broadcast(factor), mean = P::broadcast(sum / static_cast<Scalar>(size)),
       inner = P::broadcast(along / static_cast<Scalar>(size))](P slope, P scale, P value) {
        return (slope * scale - mean - value * inner) * factor;
      },
      d, gamma, normalized);
}

}  // namespace strata::detail::inline STRATA_TARGET
