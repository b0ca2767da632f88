#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <strata/base/half.hpp>
#include <strata/language/bit_cast.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The type of an array's numbers in a file.
enum class Element {
  float16,
  bfloat16,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  boolean
};

[[nodiscard]] constexpr std::string_view name(Element element) noexcept {
  constexpr std::string_view names[] = {"float16", "bfloat16", "float32", "float64", "int8",
                                        "int16",   "int32",    "int64",   "uint8",   "uint16",
                                        "uint32",  "uint64",   "bool"};
  return names[static_cast<std::size_t>(element)];
}

/// Bytes of one number.
[[nodiscard]] constexpr std::size_t size_of(Element element) noexcept {
  switch (element) {
    case Element::int8:
    case Element::uint8:
    case Element::boolean:
      return 1;
    case Element::float16:
    case Element::bfloat16:
    case Element::int16:
    case Element::uint16:
      return 2;
    case Element::float32:
    case Element::int32:
    case Element::uint32:
      return 4;
    case Element::float64:
    case Element::int64:
    case Element::uint64:
      return 8;
  }
  return 0;
}

[[nodiscard]] constexpr bool is_floating(Element element) noexcept {
  return element <= Element::float64;
}

/// The element that holds a scalar.
template <class Scalar>
[[nodiscard]] constexpr Element element_of() noexcept {
  if constexpr (std::same_as<Scalar, float>) return Element::float32;
  if constexpr (std::same_as<Scalar, double>) return Element::float64;
  if constexpr (std::same_as<Scalar, std::int64_t>) return Element::int64;
}

/// Reads an unsigned number from little-endian bytes, whatever the byte order of the machine.
template <std::unsigned_integral Word>
[[nodiscard]] constexpr Word read_word(const std::byte* bytes) noexcept {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    word = static_cast<Word>(word | static_cast<Word>(std::to_integer<Word>(bytes[i]) << (8 * i)));
  }
  return word;
}

template <std::unsigned_integral Word>
constexpr void write_word(Word word, std::byte* bytes) noexcept {
  for (std::size_t i = 0; i < sizeof(Word); ++i) bytes[i] = static_cast<std::byte>(word >> (8 * i));
}

/// The upper half of a float. Exact.
[[nodiscard]] constexpr float from_bfloat16(std::uint16_t half) noexcept {
  return detail::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

/// Reads and writes a float, a double or a std::int64_t as little-endian bytes, with every bit.
template <class Scalar>
[[nodiscard]] Scalar read_scalar(const std::byte* bytes) noexcept {
  using Word = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  return detail::bit_cast<Scalar>(read_word<Word>(bytes));
}
template <class Scalar>
void write_scalar(Scalar value, std::byte* bytes) noexcept {
  using Word = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  write_word(detail::bit_cast<Word>(value), bytes);
}

/// Reads one floating-point number; a double holds each of these types exactly. `element` is
/// float16, bfloat16, float32 or float64.
[[nodiscard]] inline double read_floating(Element element, const std::byte* bytes) noexcept {
  switch (element) {
    case Element::float16:
      return detail::from_half(read_word<std::uint16_t>(bytes));
    case Element::bfloat16:
      return from_bfloat16(read_word<std::uint16_t>(bytes));
    case Element::float32:
      return read_scalar<float>(bytes);
    default:
      return read_scalar<double>(bytes);
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
