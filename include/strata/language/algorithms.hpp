#pragma once

#include <algorithm>
#include <iterator>

// Algorithms over whole ranges, as those of std::ranges, which libc++ has from release 16 on only.

namespace strata::detail {

template <class Range, class F>
[[nodiscard]] constexpr bool any_of(const Range& range, F f) {
  return std::any_of(std::begin(range), std::end(range), f);
}
template <class Range, class F>
[[nodiscard]] constexpr bool all_of(const Range& range, F f) {
  return std::all_of(std::begin(range), std::end(range), f);
}
template <class Range, class F>
[[nodiscard]] constexpr bool none_of(const Range& range, F f) {
  return std::none_of(std::begin(range), std::end(range), f);
}
template <class Range, class Value>
[[nodiscard]] constexpr bool contains(const Range& range, const Value& value) {
  return std::find(std::begin(range), std::end(range), value) != std::end(range);
}
template <class Range, class To>
constexpr void copy(const Range& range, To to) {
  std::copy(std::begin(range), std::end(range), to);
}
/// `range` may be a view, such as a std::span, that is made in the call.
template <class Range, class Value>
constexpr void fill(Range&& range, const Value& value) {
  std::fill(std::begin(range), std::end(range), value);
}

}  // namespace strata::detail
