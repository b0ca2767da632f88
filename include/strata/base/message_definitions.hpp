#pragma once

#include <charconv>
#include <initializer_list>
#include <string>

#include <strata/base/message.hpp>
#include <strata/language/compiler.hpp>
#include <strata/language/float_text.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::messages {

STRATA_INLINE std::string number_text(double value, int precision, NumberStyle style) {
  const auto format = style == NumberStyle::fixed        ? std::chars_format::fixed
                      : style == NumberStyle::scientific ? std::chars_format::scientific
                                                         : std::chars_format::general;
  return detail::float_text(value, format, precision);
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

STRATA_COLD STRATA_INLINE std::string message(std::initializer_list<Piece> pieces) {
  std::string joined;
  for (const Piece& piece : pieces) piece.append_to(joined);
  return joined;
}

}  // namespace strata::messages
