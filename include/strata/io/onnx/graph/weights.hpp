#pragma once

#include <map>
#include <string>

#include <strata/io/common/numbers.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The weights of a layer: for each parameter its name, its numbers and their shape.
using OnnxWeights = std::map<std::string, Numbers>;

}  // namespace strata::inline STRATA_RUNTIME::io
