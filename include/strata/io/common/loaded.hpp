#pragma once

#include <concepts>
#include <type_traits>

#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The type of model that the readers of files return: `Sequential<>` for float.
template <class Scalar>
using Loaded = std::conditional_t<std::same_as<Scalar, float>, Sequential<>, Sequential<Scalar>>;

}  // namespace strata::inline STRATA_RUNTIME::io
