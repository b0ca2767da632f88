#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

#include <strata/language/bit_cast.hpp>
#include <strata/target.hpp>

// Whether numbers are finite, told from their bits: -ffast-math promises the compiler that no
// number is infinite or not a number, and std::isfinite, std::isnan and comparisons then answer by
// that promise and not by the number.

namespace strata::detail::inline STRATA_TARGET {

template <std::floating_point Scalar>
using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;

/// The bits of infinity: all bits of the exponent, none of the fraction. Without the sign, the bits
/// of a finite number are smaller as a whole number, the bits of a NaN are larger.
template <std::floating_point Scalar>
inline constexpr Bits<Scalar> infinite_bits =
    static_cast<Bits<Scalar>>(((Bits<Scalar>{1} << (sizeof(Scalar) == 4 ? 8 : 11)) - 1)
                              << (std::numeric_limits<Scalar>::digits - 1));

/// A NaN, made from bits since programs compiled with -ffast-math may not name one.
template <std::floating_point Scalar>
inline constexpr Scalar not_a_number = detail::bit_cast<Scalar>(
    static_cast<Bits<Scalar>>(infinite_bits<Scalar> | (infinite_bits<Scalar> >> 1)));

template <std::floating_point Scalar>
[[nodiscard]] constexpr Bits<Scalar> bits_without_sign(Scalar value) noexcept {
  static_assert(sizeof(Scalar) == sizeof(Bits<Scalar>));
  return detail::bit_cast<Bits<Scalar>>(value) & (~Bits<Scalar>{0} >> 1);
}

template <std::floating_point Scalar>
[[nodiscard]] constexpr bool is_finite(Scalar value) noexcept {
  return bits_without_sign(value) < infinite_bits<Scalar>;
}

template <std::floating_point Scalar>
[[nodiscard]] constexpr bool is_infinite(Scalar value) noexcept {
  return bits_without_sign(value) == infinite_bits<Scalar>;
}

template <std::floating_point Scalar>
[[nodiscard]] constexpr bool is_nan(Scalar value) noexcept {
  return bits_without_sign(value) > infinite_bits<Scalar>;
}

template <std::floating_point Scalar>
[[nodiscard]] bool all_finite(std::span<const Scalar> values) noexcept {
  // The inner loop has a constant length, so that compilers vectorize it at -O2, too.
  constexpr std::size_t block = 64;
  using Word = Bits<Scalar>;
  std::array<Word, block> largest{};
  while (values.size() >= block) {
    std::array<Word, block> words;
    std::memcpy(words.data(), values.data(), sizeof words);
    for (std::size_t i = 0; i < block; ++i) {
      largest[i] = std::max<Word>(largest[i], words[i] & (~Word{0} >> 1));
    }
    values = values.subspan(block);
  }
  const bool blocks_are_finite = std::all_of(
      largest.begin(), largest.end(), [](Word word) { return word < infinite_bits<Scalar>; });
  return blocks_are_finite &&
         std::all_of(values.begin(), values.end(), [](Scalar value) { return is_finite(value); });
}

}  // namespace strata::detail::inline STRATA_TARGET
