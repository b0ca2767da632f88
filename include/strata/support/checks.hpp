#pragma once

#include <string>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// "x(3, 0, 1)", the place of the i-th value.
template <class Scalar>
[[nodiscard]] std::string place(const char* what, const Tensor<Scalar>& x, Index i) {
  std::string position = ")";
  for (Index axis = x.rank() - 1; axis >= 0; --axis) {
    position = message({axis > 0 ? ", " : "", i % x.shape()[axis], position});
    i /= x.shape()[axis];
  }
  return message({what, "(", position});
}

/// Throws ShapeError on data without a sample, a step or a feature.
template <class Scalar>
void check_not_empty(const char* what, const Tensor<Scalar>& x) {
  if (x.empty()) {
    fail<ShapeError>({what, " is empty: its shape is ", x.shape()});
  }
}

/// Throws ValueError on NaN or infinity, and names the first.
template <class Scalar>
void check_finite(const char* what, const Tensor<Scalar>& x) {
  if (all_finite(x.values())) return;
  const Scalar* values = x.data();
  for (Index i = 0; i < x.size(); ++i) {
    if (is_finite(values[i])) continue;
    fail<ValueError>({place(what, x, i), " is ", is_nan(values[i]) ? "not a number" : "infinite"});
  }
}

}  // namespace strata::inline STRATA_TARGET::detail
