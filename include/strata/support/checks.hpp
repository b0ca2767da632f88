#pragma once

#include <string>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The place of the i-th value of a tensor, such as "x(3, 0, 1)" where `what` is "x".
template <class Scalar>
[[nodiscard]] std::string place(const char* what, const Tensor<Scalar>& x, Index i) {
  std::string position = ")";
  for (Index axis = x.rank() - 1; axis >= 0; --axis) {
    position = message({axis > 0 ? ", " : "", i % x.shape()[axis], position});
    i /= x.shape()[axis];
  }
  return message({what, "(", position});
}

/// Throws ShapeError when x has no sample, no step or no feature.
template <class Scalar>
void check_not_empty(const char* what, const Tensor<Scalar>& x) {
  if (x.empty()) {
    fail<ShapeError>({what, " is empty: its shape is ", x.shape()});
  }
}

/// Throws ValueError, naming the place, on the first value that is infinite or not a number.
template <class Scalar>
void check_finite(const char* what, const Tensor<Scalar>& x) {
  if (all_finite(x.values())) return;
  const Scalar* values = x.data();
  for (Index i = 0; i < x.size(); ++i) {
    if (is_finite(values[i])) continue;
    fail<ValueError>({place(what, x, i), " is ", is_nan(values[i]) ? "not a number" : "infinite"});
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
