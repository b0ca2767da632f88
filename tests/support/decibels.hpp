#pragma once

#include <cmath>
#include <cstddef>
#include <ranges>
#include <span>

#include "catch.hpp"

namespace strata::test {

/// The root of the mean square of the error, in decibels of that of the expected numbers.
template <std::ranges::contiguous_range Found, std::ranges::contiguous_range Expected>
[[nodiscard]] double decibels(const Found& found, const Expected& expected) {
  const std::span f(found);
  const std::span e(expected);
  REQUIRE(f.size() == e.size());
  REQUIRE(!e.empty());
  double size = 0, error = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const double right = static_cast<double>(e[i]);
    size += right * right;
    error += std::pow(static_cast<double>(f[i]) - right, 2);
  }
  return 10 * std::log10(error / size);
}

}  // namespace strata::test
