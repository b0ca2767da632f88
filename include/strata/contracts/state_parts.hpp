#pragma once

#include <string>
#include <vector>

#include <strata/shape.hpp>

namespace strata {

/// A part of what a layer remembers of a sequence, such as the h or the c of an LSTM.
struct StatePart {
  std::string name;
  /// How many numbers it has.
  Index size = 0;
};

}  // namespace strata

namespace strata::detail {

/// The parts of a layer's state, in their order. A layer that consists of layers lists each of them
/// with a prefix.
class StateParts {
 public:
  void add(const char* name, Index size);
  /// Adds the memories of a recurrent cell, each of `units` numbers: "c" where there is one, else
  /// "memory_0", "memory_1" and so on.
  void add_memories(Index count, Index units);

  /// Puts a prefix and a point before the names that are added from now on. Returns the prefix
  /// before.
  [[nodiscard]] std::string enter(const std::string& prefix);
  /// Sets the prefix that enter returned.
  void leave(const std::string& prefix) { prefix_ = prefix; }

  [[nodiscard]] const std::vector<StatePart>& list() const noexcept { return list_; }

 private:
  std::vector<StatePart> list_;
  std::string prefix_;
};

/// Lists the state of a layer: by the layer's own list_state(parts), or as one part, "state".
template <class L>
void list_state(const L& layer, StateParts& parts) {
  if constexpr (requires { layer.list_state(parts); }) {
    layer.list_state(parts);
  } else if (layer.state_size() > 0) {
    parts.add("state", layer.state_size());
  }
}

/// Lists the state of a layer inside another one.
template <class L>
void list_state(const L& layer, const std::string& prefix, StateParts& parts) {
  const std::string before = parts.enter(prefix);
  list_state(layer, parts);
  parts.leave(before);
}

}  // namespace strata::detail

#ifndef STRATA_COMPILED
#include <strata/contracts/state_parts_definitions.hpp>
#endif
