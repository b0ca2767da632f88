#pragma once

#include <cstddef>

namespace strata::test {

/// How often this thread has asked for memory so far: by new, aligned or not, and, with the GNU C
/// library and in sanitized builds, by malloc and its kin too, which Eigen calls.
///
/// It is defined in unit/model/streams/test_allocations.cpp, which replaces those functions for the
/// whole program.
[[nodiscard]] std::size_t allocations() noexcept;

/// Whether malloc itself is counted.
[[nodiscard]] bool counts_malloc() noexcept;

/// The number of allocations that f makes in this thread.
template <class F>
[[nodiscard]] std::size_t allocations_of(F&& f) {
  const std::size_t before = allocations();
  f();
  return allocations() - before;
}

}  // namespace strata::test
