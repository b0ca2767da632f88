#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

namespace strata::detail {

/// Whether a + b does not fit its type. Where it does, `sum` becomes a + b.
template <std::integral Number>
[[nodiscard]] constexpr bool add_overflows(Number a, Number b, Number& sum) noexcept {
  using Limits = std::numeric_limits<Number>;
  if (b > 0 ? a > (Limits::max)() - b : a < (Limits::min)() - b) return true;
  sum = static_cast<Number>(a + b);
  return false;
}

/// Whether a - b does not fit its type. Where it does, `difference` becomes a - b.
template <std::integral Number>
[[nodiscard]] constexpr bool subtract_overflows(Number a, Number b, Number& difference) noexcept {
  using Limits = std::numeric_limits<Number>;
  if (b > 0 ? a < (Limits::min)() + b : a > (Limits::max)() + b) return true;
  difference = static_cast<Number>(a - b);
  return false;
}

/// Whether a b does not fit its type. Where it does, `product` becomes a b.
template <std::integral Number>
[[nodiscard]] constexpr bool multiply_overflows(Number a, Number b, Number& product) noexcept {
  using Limits = std::numeric_limits<Number>;
  if (a > 0 && (b > 0 ? b > (Limits::max)() / a : b < (Limits::min)() / a)) return true;
  if (a < 0 && (b > 0 ? a < (Limits::min)() / b : b < 0 && b < (Limits::max)() / a)) return true;
  product = static_cast<Number>(a * b);
  return false;
}

/// The number, or where its type cannot hold it the nearest that it can.
template <std::signed_integral To>
[[nodiscard]] constexpr To saturated(std::int64_t number) noexcept {
  using Limits = std::numeric_limits<To>;
  if (number < (Limits::min)()) return (Limits::min)();
  if (number > (Limits::max)()) return (Limits::max)();
  return static_cast<To>(number);
}

}  // namespace strata::detail
