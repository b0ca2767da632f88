#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <string>

#include <strata/base/message.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::messages {

STRATA_INLINE std::string number_text(double value, int precision, NumberStyle style) {
  constexpr std::size_t most_digits = 310;
  std::array<char, most_digits + 64> digits;
  const auto format = style == NumberStyle::fixed        ? std::chars_format::fixed
                      : style == NumberStyle::scientific ? std::chars_format::scientific
                                                         : std::chars_format::general;
  const auto written = std::to_chars(digits.begin(), digits.end(), value, format, precision);
  return {digits.data(), written.ptr};
}

STRATA_INLINE void Piece::append_to(std::string& message) const {
  switch (kind_) {
    case Kind::text:
      message += text_;
      break;
    case Kind::shape:
      message += to_string(*shape_);
      break;
    case Kind::whole:
      message += std::to_string(whole_);
      break;
    case Kind::real:
      message += number_text(real_);
      break;
  }
}

[[gnu::noinline, gnu::cold]] STRATA_INLINE std::string message(
    std::initializer_list<Piece> pieces) {
  std::string joined;
  for (const Piece& piece : pieces) piece.append_to(joined);
  return joined;
}

}  // namespace strata::messages
