#pragma once

#include <string>

#include <strata/model/network.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The table of the layers with their output shapes and numbers of parameters, as Keras prints it.
/// Before the network is built, shapes and numbers print as "?". Below the full precision, a column
/// says in which precision each layer runs step by step; throws ValueError where no layer runs in
/// the one asked for.
template <class Scalar>
[[nodiscard]] std::string summary(const Network<Scalar>& network, Precision precision);

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/summary_definitions.hpp>
#endif
