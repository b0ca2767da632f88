#pragma once

#include <cstdint>

#include <strata/language/bit_cast.hpp>
#include <strata/target.hpp>

// 16-bit floats, IEEE 754's binary16: 1 bit of sign, 5 of exponent, 10 of fraction.

namespace strata::detail::inline STRATA_TARGET {

/// The largest finite 16-bit float.
inline constexpr float largest_half = 65504;

/// A 16-bit float as a float, which holds each of them. No number on the way is a denormal float,
/// which a processor may be set to take for zero.
[[nodiscard]] constexpr float from_half(std::uint16_t half) noexcept {
  constexpr std::uint32_t exponent = 1u << 23;
  constexpr std::uint32_t exponents_apart = 127 - 15;
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = (half & 0x7fffu) << 13;
  std::uint32_t bits = magnitude + exponents_apart * exponent;
  if (magnitude >= 31 * exponent) bits += exponents_apart * exponent;
  if (magnitude < exponent) {
    const float with_leading_one = bit_cast<float>(bits + exponent);
    const float leading_one = bit_cast<float>((exponents_apart + 1) * exponent);
    bits = bit_cast<std::uint32_t>(with_leading_one - leading_one);
  }
  return bit_cast<float>(sign | bits);
}

/// A float as a 16-bit float, rounded to the nearest, to the even one of two. Beyond largest_half
/// and half a unit it is infinite.
[[nodiscard]] constexpr std::uint16_t to_half(float number) noexcept {
  constexpr std::uint32_t infinity = 0x7f800000, beyond = 0x477ff000, least_normal = 113u << 23;
  const std::uint32_t bits = bit_cast<std::uint32_t>(number);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  std::uint32_t magnitude = bits & 0x7fffffffu;
  const auto with_sign = [sign](std::uint32_t half) {
    return static_cast<std::uint16_t>(sign | half);
  };
  if (magnitude > infinity) return with_sign(0x7e00);
  if (magnitude >= beyond) return with_sign(0x7c00);
  if (magnitude < least_normal) {
    // A unit of 0.5 is as large as one of the denormal numbers, so that the sum rounds to them.
    const float rounded = bit_cast<float>(magnitude) + 0.5f;
    return with_sign(bit_cast<std::uint32_t>(rounded) - bit_cast<std::uint32_t>(0.5f));
  }
  magnitude += 0xfffu + (magnitude >> 13 & 1u);
  return with_sign((magnitude - (112u << 23)) >> 13);
}

}  // namespace strata::detail::inline STRATA_TARGET
