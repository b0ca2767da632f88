#pragma once

#include <algorithm>
#include <iterator>

#include <strata/language/algorithms.hpp>

namespace strata::test {

using detail::all_of;
using detail::any_of;
using detail::copy;
using detail::fill;

// As those of std::ranges, which libc++ has from release 16 on only.
template <class Range, class Other>
[[nodiscard]] bool equal(const Range& range, const Other& other) {
  return std::equal(std::begin(range), std::end(range), std::begin(other), std::end(other));
}
template <class Range, class Value>
[[nodiscard]] auto count(const Range& range, const Value& value) {
  return std::count(std::begin(range), std::end(range), value);
}
template <class Range, class F>
[[nodiscard]] auto count_if(const Range& range, F f) {
  return std::count_if(std::begin(range), std::end(range), f);
}

}  // namespace strata::test
