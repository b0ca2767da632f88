#pragma once

#include <span>

#include <strata/tensor.hpp>

namespace strata::test {

/// The values of a tensor that may be a temporary: for the same expression, or, of a view, for as
/// long as the memory that it views.
template <class Scalar>
[[nodiscard]] std::span<const Scalar> values_of(const Tensor<Scalar>& tensor) {
  return tensor.values();
}

}  // namespace strata::test
