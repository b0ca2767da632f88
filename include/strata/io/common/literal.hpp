#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A finite number as a hexadecimal literal of C++, which keeps every bit.
template <class Scalar>
[[nodiscard]] std::string literal(Scalar value) {
  const std::string ending = std::same_as<Scalar, float> ? "f" : "";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (value == 0) return sign + "0x0p+0" + ending;
  // |value| = (1 + fraction / 2^52) 2^exponent.
  int exponent = 0;
  const double leading = 2 * std::frexp(std::abs(static_cast<double>(value)), &exponent);
  --exponent;
  auto fraction = static_cast<std::uint64_t>(std::ldexp(leading - 1, 52));
  std::string digits;
  for (; fraction != 0; fraction = fraction << 4 & 0xfffffffffffffu) {
    digits += "0123456789abcdef"[fraction >> 48];
  }
  return sign + "0x1" + (digits.empty() ? "" : "." + digits) + "p" + (exponent < 0 ? "-" : "+") +
         std::to_string(std::abs(exponent)) + ending;
}

}  // namespace strata::inline STRATA_RUNTIME::io
