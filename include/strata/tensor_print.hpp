#pragma once

#include <iosfwd>
#include <string>

#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A tensor as NumPy prints it: nested brackets, aligned numbers, long rows broken, and above 1000
/// values dots in place of the middle of each axis.
template <class Scalar>
[[nodiscard]] std::string to_string(const Tensor<Scalar>& tensor);

/// Prints to_string(tensor), whatever the locale, flags and width of `out`.
template <class Scalar>
std::ostream& operator<<(std::ostream& out, const Tensor<Scalar>& tensor);

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/tensor_print_definitions.hpp>
#endif
