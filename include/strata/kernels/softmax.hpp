#pragma once

#include <algorithm>
#include <cmath>

#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// exp(v) / sum of exp(v), in place. Shifted by the largest value, so that no exponential
/// overflows.
template <class Scalar>
void softmax(Scalar* values, Index size) noexcept {
  const Scalar largest = *std::max_element(values, values + size);
  Scalar sum = 0;
  for (Index i = 0; i < size; ++i) sum += values[i] = std::exp(values[i] - largest);
  for (Index i = 0; i < size; ++i) values[i] /= sum;
}

/// Turns the derivatives by the outputs y of a softmax into the derivatives by its inputs, in
/// place.
template <class Scalar>
void softmax_backward(const Scalar* y, Scalar* dy, Index size) noexcept {
  Scalar inner = 0;
  for (Index i = 0; i < size; ++i) inner += dy[i] * y[i];
  for (Index i = 0; i < size; ++i) dy[i] = y[i] * (dy[i] - inner);
}

}  // namespace strata::detail::inline STRATA_TARGET
