#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/hdf5_bytes.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The type and the sizes of an HDF5 array or attribute, section IV.A of the file format
// specification, https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html.

namespace strata::inline STRATA_RUNTIME::io {

/// The type of the values of an array or attribute: floating-point numbers, texts of a fixed length
/// (fixed_text) or each of a length of its own (text), or opaque bytes.
struct Hdf5Type {
  enum class Kind { number, fixed_text, text, bytes, other };

  Kind kind = Kind::other;
  /// The number that HDF5 gives to this class of types.
  unsigned type_class = 0;
  std::uint32_t size = 0;
  Element element = Element::float32;
  bool big_endian = false;

  [[nodiscard]] static Hdf5Type of(Hdf5Bytes bytes) {
    const std::uint8_t head = bytes.byte();
    const std::uint8_t bits = bytes.byte();
    const std::uint8_t sign = bytes.byte();
    bytes.skip(1);
    Hdf5Type type;
    type.type_class = head & 0x0f;
    type.size = bytes.word<std::uint32_t>();
    switch (type.type_class) {
      case 1:
        if (const auto element = floating(bytes, type.size, bits, sign)) {
          type.kind = Kind::number;
          type.element = *element;
          type.big_endian = (bits & 1) != 0;
        }
        break;
      case 3:
        type.kind = Kind::fixed_text;
        break;
      case 5:
        type.kind = Kind::bytes;
        break;
      case 9:
        if ((bits & 0x0f) == 1 && type.size == 16) type.kind = Kind::text;
        break;
      default:
        break;
    }
    return type;
  }

  /// The type in words, for messages.
  [[nodiscard]] std::string text() const {
    constexpr std::array<const char*, 11> names{"whole numbers",
                                                "another floating-point type",
                                                "times",
                                                "text",
                                                "bits",
                                                "bytes",
                                                "records",
                                                "references",
                                                "an enumeration, such as bool",
                                                "lists of any length",
                                                "small arrays"};
    return type_class < names.size() ? names[type_class] : "another type";
  }

 private:
  /// The element of a floating-point type: IEEE 754 of 2, 4 or 8 bytes, or bfloat16; empty for
  /// other floating-point types.
  [[nodiscard]] static std::optional<Element> floating(Hdf5Bytes bytes, std::uint32_t size,
                                                       unsigned bits, unsigned sign) {
    const auto offset = bytes.word<std::uint16_t>();
    const auto precision = bytes.word<std::uint16_t>();
    const unsigned exponent = bytes.byte();
    const unsigned exponent_size = bytes.byte();
    const unsigned fraction = bytes.byte();
    const unsigned fraction_size = bytes.byte();
    const auto bias = bytes.word<std::uint32_t>();
    const bool vax = (bits & 0x40) != 0;
    const bool leading_one = (bits & 0x30) == 0x20;
    if (vax || !leading_one || offset != 0 || precision != 8 * size || sign != precision - 1u ||
        fraction != 0 || exponent != fraction_size ||
        exponent_size + fraction_size + 1 != precision) {
      return std::nullopt;
    }
    if (size == 2 && exponent_size == 5 && bias == 15) return Element::float16;
    if (size == 2 && exponent_size == 8 && bias == 127) return Element::bfloat16;
    if (size == 4 && exponent_size == 8 && bias == 127) return Element::float32;
    if (size == 8 && exponent_size == 11 && bias == 1023) return Element::float64;
    return std::nullopt;
  }
};

/// The sizes of an array, none for a single number; empty for a "null" dataspace, which holds no
/// number at all.
[[nodiscard]] inline std::optional<std::vector<Index>> hdf5_sizes(Hdf5Bytes bytes) {
  const unsigned version = bytes.byte();
  bytes.require_version("dataspace", version, 1, 2);
  const unsigned rank = bytes.byte();
  bytes.skip(1);
  const unsigned kind = bytes.byte();
  if (version == 1) bytes.skip(4);
  if (version == 2 && kind == 2) return std::nullopt;
  std::vector<Index> sizes;
  for (unsigned axis = 0; axis < rank; ++axis) {
    const auto size = bytes.word<std::uint64_t>();
    if (size > static_cast<std::uint64_t>((std::numeric_limits<Index>::max)())) {
      bytes.where().expected("a size that memory can hold", std::to_string(size));
    }
    sizes.push_back(static_cast<Index>(size));
  }
  return sizes;
}

}  // namespace strata::inline STRATA_RUNTIME::io
