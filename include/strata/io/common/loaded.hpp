#pragma once

#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

template <class Scalar>
struct LoadedModel {
  using type = Sequential<Scalar>;
};
template <>
struct LoadedModel<float> {
  using type = Sequential<>;
};

/// The type of model that the readers of files return: `Sequential<>` for float.
template <class Scalar>
using Loaded = typename LoadedModel<Scalar>::type;

}  // namespace strata::inline STRATA_RUNTIME::io
