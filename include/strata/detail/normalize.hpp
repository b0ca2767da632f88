#pragma once

#include <cmath>

#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Values to mean 0 and variance 1, in place; what they were divided by is 1 over the result.
template <class Scalar>
[[nodiscard]] Scalar normalize(Scalar* values, Index size, Scalar epsilon) noexcept {
  Scalar mean = 0;
  for (Index i = 0; i < size; ++i) mean += values[i];
  mean /= static_cast<Scalar>(size);
  Scalar variance = 0;
  for (Index i = 0; i < size; ++i) {
    values[i] -= mean;
    variance += values[i] * values[i];
  }
  variance /= static_cast<Scalar>(size);
  const Scalar scale = 1 / std::sqrt(variance + epsilon);
  for (Index i = 0; i < size; ++i) values[i] *= scale;
  return scale;
}

/// The derivatives by normalized values to those by what was normalized, in place.
template <class Scalar>
void normalize_backward(const Scalar* normalized, Scalar scale, Scalar* d, Index size) noexcept {
  Scalar mean = 0;
  Scalar inner = 0;
  for (Index i = 0; i < size; ++i) {
    mean += d[i];
    inner += d[i] * normalized[i];
  }
  mean /= static_cast<Scalar>(size);
  inner /= static_cast<Scalar>(size);
  for (Index i = 0; i < size; ++i) d[i] = scale * (d[i] - mean - normalized[i] * inner);
}

}  // namespace strata::inline STRATA_TARGET::detail
