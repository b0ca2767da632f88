#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The wire format of Protocol Buffers, https://protobuf.dev/programming-guides/encoding. The eight
// messages of an ONNX file need no more than this header, so that users of strata::onnx need
// neither the Protocol Buffers library nor its compiler.

namespace strata::inline STRATA_RUNTIME::io {

/// The wire type of a field: how its value is written.
enum class ProtoWire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// Reads the fields of a message one after the other. All returned bytes lie within the message,
/// and memory is never sized by a length that the file claims.
class ProtoReader {
 public:
  ProtoReader(std::span<const std::byte> bytes, Where where)
      : rest_(bytes), where_(std::move(where)) {}

  /// Goes to the next field; false after the last. Throws FormatError on damaged bytes.
  [[nodiscard]] bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t key = take_varint();
    field_ = key >> 3;
    wire_ = static_cast<ProtoWire>(key & 7);
    switch (wire_) {
      case ProtoWire::varint:
        integer_ = take_varint();
        return true;
      case ProtoWire::fixed64:
        bytes_ = take(8);
        return true;
      case ProtoWire::bytes:
        bytes_ = take(take_varint());
        return true;
      case ProtoWire::fixed32:
        bytes_ = take(4);
        return true;
    }
    where_.refuse("field " + std::to_string(field_) + " is of the unknown wire type " +
                  std::to_string(key & 7));
  }

  [[nodiscard]] std::uint64_t field() const noexcept { return field_; }
  [[nodiscard]] const Where& where() const noexcept { return where_; }

  /// The value of the field. integer(), number(), bytes(), text() and message() throw FormatError
  /// where the field is of another wire type.
  [[nodiscard]] Index integer() const {
    require(ProtoWire::varint);
    return detail::saturated<Index>(static_cast<std::int64_t>(integer_));
  }
  [[nodiscard]] float number() const {
    require(ProtoWire::fixed32);
    return read_scalar<float>(bytes_.data());
  }
  [[nodiscard]] std::span<const std::byte> bytes() const {
    require(ProtoWire::bytes);
    return bytes_;
  }
  [[nodiscard]] std::string text() const {
    const auto letters = bytes();
    return {reinterpret_cast<const char*>(letters.data()), letters.size()};
  }
  [[nodiscard]] ProtoReader message(std::string_view part) const {
    return {bytes(), where_.in(part)};
  }

  /// Appends the values of a repeated field, which holds one value, or all of them packed together.
  void append_integers(std::vector<Index>& to) const {
    if (wire_ == ProtoWire::varint) return to.push_back(integer());
    ProtoReader packed(bytes(), where_);
    while (!packed.rest_.empty()) to.push_back(static_cast<Index>(packed.take_varint()));
  }
  template <class Scalar>
  void append_numbers(std::vector<Scalar>& to) const {
    if (wire_ != ProtoWire::bytes) {
      require(sizeof(Scalar) == 4 ? ProtoWire::fixed32 : ProtoWire::fixed64);
    } else if (bytes_.size() % sizeof(Scalar) != 0) {
      refuse("ends within a number");
    }
    for (std::size_t at = 0; at < bytes_.size(); at += sizeof(Scalar)) {
      to.push_back(read_scalar<Scalar>(bytes_.data() + at));
    }
  }

  /// Throws FormatError: the message has no field of this number.
  [[noreturn]] void refuse_field() const { refuse("is not known"); }
  [[noreturn]] void refuse(const std::string& what) const {
    where_.in("field " + std::to_string(field_)).refuse(what);
  }

 private:
  void require(ProtoWire wire) const {
    if (wire_ != wire) {
      where_.in("field " + std::to_string(field_))
          .expected("wire type " + std::to_string(static_cast<int>(wire)),
                    std::to_string(static_cast<int>(wire_)));
    }
  }

  [[nodiscard]] std::span<const std::byte> take(std::uint64_t count) {
    if (count > rest_.size()) {
      where_.expected(std::to_string(count) + " more bytes", std::to_string(rest_.size()));
    }
    const auto taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  /// Takes a number in a variable count of bytes: each byte has seven bits, the lowest first, and a
  /// highest bit that says whether another byte follows.
  [[nodiscard]] std::uint64_t take_varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(take(1)[0]);
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    where_.refuse("has a number of more than 64 bits");
  }

  std::span<const std::byte> rest_;
  Where where_;
  std::uint64_t field_ = 0;
  ProtoWire wire_ = ProtoWire::varint;
  std::uint64_t integer_ = 0;
  std::span<const std::byte> bytes_;
};

/// Writes a message field by field.
class ProtoWriter {
 public:
  void integer(std::uint64_t field, Index value) {
    put_key(field, ProtoWire::varint);
    put_varint(static_cast<std::uint64_t>(value));
  }
  void number(std::uint64_t field, float value) {
    put_key(field, ProtoWire::fixed32);
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(float));
    write_scalar(value, bytes_.data() + at);
  }
  void bytes(std::uint64_t field, std::span<const std::byte> value) {
    put_key(field, ProtoWire::bytes);
    put_varint(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void text(std::uint64_t field, std::string_view value) {
    bytes(field, std::as_bytes(std::span(value.data(), value.size())));
  }
  void message(std::uint64_t field, const ProtoWriter& value) { bytes(field, value.bytes_); }
  void integers(std::uint64_t field, const std::vector<Index>& values) {
    ProtoWriter packed;
    for (const Index value : values) packed.put_varint(static_cast<std::uint64_t>(value));
    message(field, packed);
  }
  void numbers(std::uint64_t field, const std::vector<float>& values) {
    std::vector<std::byte> packed(values.size() * sizeof(float));
    for (std::size_t i = 0; i < values.size(); ++i) {
      write_scalar(values[i], packed.data() + i * sizeof(float));
    }
    bytes(field, packed);
  }

  [[nodiscard]] std::vector<std::byte> take() noexcept { return std::move(bytes_); }

 private:
  void put_key(std::uint64_t field, ProtoWire wire) {
    put_varint(field << 3 | static_cast<std::uint64_t>(wire));
  }
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<std::byte>(value | 0x80));
    bytes_.push_back(static_cast<std::byte>(value));
  }

  std::vector<std::byte> bytes_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
