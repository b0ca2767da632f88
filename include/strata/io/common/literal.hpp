#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A number as a hexadecimal literal of C++, which keeps every bit.
template <class Scalar>
[[nodiscard]] std::string literal(Scalar value) {
  std::array<char, 48> digits;
  const auto end =
      std::to_chars(digits.begin(), digits.end(), std::abs(value), std::chars_format::hex).ptr;
  return (std::signbit(value) ? "-0x" : "0x") + std::string(digits.begin(), end) +
         (std::same_as<Scalar, float> ? "f" : "");
}

}  // namespace strata::inline STRATA_RUNTIME::io
