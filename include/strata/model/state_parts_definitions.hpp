#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <strata/contracts/state_parts.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state_parts.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
std::vector<NamedState> state_parts(const Network<Scalar>& network) {
  if (!network.is_built()) {
    detail::raise<StateError>(
        "state_parts: the model's sizes are not known yet; call build or fit first");
  }
  const std::vector<std::string> names = network.layer_names();
  std::vector<NamedState> all;
  for (std::size_t i = 0; i < network.size(); ++i) {
    StateParts parts;
    (void)parts.enter(names[i]);
    network.layers()[i].list_state(parts);
    Index first = 0;
    for (const StatePart& part : parts.list()) {
      all.push_back({part.name, i, first, part.size});
      first += part.size;
    }
  }
  return all;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
