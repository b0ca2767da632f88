#pragma once

#include <string>

#include <strata/contracts/state_parts.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail {

STRATA_INLINE void StateParts::add(const char* name, Index size) {
  list_.push_back({prefix_ + name, size});
}

STRATA_INLINE void StateParts::add_memories(Index count, Index units) {
  if (count == 1) return add("c", units);
  for (Index i = 0; i < count; ++i) add(("memory_" + std::to_string(i)).c_str(), units);
}

STRATA_INLINE std::string StateParts::enter(const std::string& prefix) {
  std::string before = prefix_;
  prefix_ += prefix + ".";
  return before;
}

}  // namespace strata::detail
