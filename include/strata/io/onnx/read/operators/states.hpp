#pragma once

#include <cstddef>
#include <vector>

#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The last states of several layers, joined and taken apart again.

namespace strata::inline STRATA_RUNTIME::io {

/// The number of directions in a last state, 1 or 2.
[[nodiscard]] inline std::size_t directions_of(const OnnxData& state) noexcept {
  return state.axes.empty() || state.axes[0].empty() ? 1 : 2;
}

/// The number of states, where each direction of a layer counts as one.
[[nodiscard]] inline std::size_t count_of(const OnnxStates& states) noexcept {
  std::size_t count = 0;
  for (const OnnxData& state : states.layers) count += directions_of(state);
  return count;
}

/// The state at one place, or the states of both directions of one layer at two places. Throws
/// FormatError on other places.
[[nodiscard]] inline OnnxData states_at(const OnnxStates& states, const std::vector<Index>& places,
                                        const OnnxCall& call) {
  std::size_t first = 0;
  for (const OnnxData& state : states.layers) {
    const std::size_t count = directions_of(state);
    const auto at = places.empty() ? first + count : static_cast<std::size_t>(places[0]);
    if (at >= first && at < first + count) {
      const auto place = static_cast<Index>(at - first);
      if (places.size() == 1) return sliced(state, slice_at(0, place), call.where());
      if (places.size() == 2 && count == 2 && places[1] == places[0] + 1 && place == 0) {
        return state;
      }
    }
    first += count;
  }
  call.where().refuse("takes the states of more than one layer");
}

}  // namespace strata::inline STRATA_RUNTIME::io
