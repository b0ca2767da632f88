#pragma once

#include <concepts>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <string_view>

#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::message {

/// A piece of a message: text, a number or a shape.
class Piece {
 public:
  Piece(const char* text) : kind_(Kind::text), text_(text) {}
  Piece(const std::string& text) : kind_(Kind::text), text_(text) {}
  Piece(const Shape& shape) : kind_(Kind::shape), shape_(&shape) {}
  template <std::integral Number>
  Piece(Number number) : kind_(Kind::whole), whole_(static_cast<Index>(number)) {}
  template <std::floating_point Number>
  Piece(Number number) : kind_(Kind::real), real_(static_cast<double>(number)) {}

  void append_to(std::string& message) const {
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
      case Kind::real: {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%g", real_);
        message += digits;
        break;
      }
    }
  }

 private:
  enum class Kind { text, shape, whole, real };

  Kind kind_;
  std::string_view text_;
  const Shape* shape_ = nullptr;
  Index whole_ = 0;
  double real_ = 0;
};

/// The pieces side by side. It is kept out of line: messages are many, and none is in a hurry.
[[nodiscard, gnu::noinline, gnu::cold]] inline std::string text(
    std::initializer_list<Piece> pieces) {
  std::string message;
  for (const Piece& piece : pieces) piece.append_to(message);
  return message;
}

/// Throws an error that says the pieces.
template <class Error>
[[noreturn, gnu::noinline, gnu::cold]] void fail(std::initializer_list<Piece> pieces) {
  throw Error(text(pieces));
}

}  // namespace strata::message

namespace strata::inline STRATA_TARGET::detail {

using message::fail;
using message::text;

}  // namespace strata::inline STRATA_TARGET::detail
