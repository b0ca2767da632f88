#pragma once

#include <cmath>
#include <cstddef>
#include <iomanip>
#include <limits>
#include <ranges>
#include <span>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "largest_difference.hpp"

namespace strata::test {

/// Two numbers are close when they differ by at most absolute + relative * |expected|.
struct Tolerance {
  double absolute;
  double relative;
  [[nodiscard]] bool operator==(const Tolerance&) const = default;
};

struct Tolerances {
  Tolerance values;
  Tolerance gradients;
  Tolerance training;
};

/// How far strata may be from Keras and PyTorch, which round in another order. "Found" is the
/// largest error, absolute below 1 and relative above, of GCC 12 and Clang 14 with SSE2, AVX2 and
/// AVX-512; the rest is room for other machines.
template <class Scalar>
inline constexpr Tolerances tolerance = {};

/// Rounding alone: the epsilon is 2.2e-16.
template <>
inline constexpr Tolerances tolerance<double> = {
    .values = {1e-14, 1e-14},     // found 3.3e-16 and 3.6e-16
    .gradients = {1e-14, 1e-14},  // found 1.8e-15 and 5.4e-16; sums over batch and steps
    .training = {1e-13, 1e-13},   // found 2.9e-15 and 1.9e-15; up to 30 updates build on each other
};

/// The epsilon is 1.2e-7, and rational functions for tanh and sigmoid may be 3e-7 off.
template <>
inline constexpr Tolerances tolerance<float> = {
    // found 1.7e-7 and 2.1e-7
    .values = {1e-6, 1e-6},
    // found 2.2e-6 and 2.5e-7: in the case "saturated" sums of numbers up to 256 cancel
    .gradients = {5e-6, 2e-6},
    // found 7.7e-6 and 5.9e-7: as far as Keras' float32 is from its own float64, since Adam's
    // 1 - 0.999 is 5e-5 off in float32
    .training = {3e-5, 5e-6},
};

/// The place at which two arrays of numbers differ most, as a share of the allowed error.
struct Comparison {
  std::size_t index = 0;
  /// The error as a share of what is allowed; infinite where one of the numbers is not finite.
  double share = 0;
  std::string message;
};

template <class A, class E>
[[nodiscard]] Comparison compare(std::span<A> actual, std::span<E> expected,
                                 const Tolerance& tolerated) {
  const auto error = [&](std::size_t i) {
    return std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
  };
  const auto allowed = [&](std::size_t i) {
    return tolerated.absolute + tolerated.relative * std::abs(static_cast<double>(expected[i]));
  };
  Comparison worst;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double share = error(i) / allowed(i);
    if (!std::isfinite(share)) share = std::numeric_limits<double>::infinity();
    if (i == 0 || share > worst.share) worst = {i, share, {}};
  }
  std::ostringstream message;
  message << std::setprecision(std::numeric_limits<double>::max_digits10) << "at " << worst.index
          << " of " << expected.size() << ": found " << actual[worst.index] << ", expected "
          << expected[worst.index] << std::setprecision(3) << "; error " << error(worst.index)
          << ", allowed " << allowed(worst.index);
  worst.message = message.str();
  return worst;
}

/// Fails, naming the worst index, both values and the error, unless all numbers are close. `what`
/// says what they are.
template <std::ranges::contiguous_range Actual, std::ranges::contiguous_range Expected>
void require_close(const Actual& actual, const Expected& expected, const Tolerance& allowed,
                   const std::string& what = "values") {
  const std::span a(actual);
  const std::span e(expected);
  INFO(what);
  REQUIRE(!e.empty());
  REQUIRE(a.size() == e.size());
  const Comparison worst = compare(a, e, allowed);
  INFO(worst.message);
  if (allowed == tolerance<typename decltype(a)::value_type>.values) {
    for (std::size_t i = 0; i < e.size(); ++i) {
      LargestDifference::add<typename decltype(a)::value_type>(a[i], e[i]);
    }
  }
  REQUIRE(worst.share <= 1);
}

inline void require_close(double actual, double expected, const Tolerance& allowed,
                          const std::string& what = "value") {
  require_close(std::span(&actual, 1), std::span(&expected, 1), allowed, what);
}

}  // namespace strata::test
