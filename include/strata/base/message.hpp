#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/compiler.hpp>
#include <strata/shape.hpp>

namespace strata::messages {

/// The ways in which printf's %g, %f and %e write a number.
enum class NumberStyle { general, fixed, scientific };

/// A number as printf writes it, but with a point in every locale.
[[nodiscard]] std::string number_text(double value, int precision = 6,
                                      NumberStyle style = NumberStyle::general);

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

  void append_to(std::string& message) const;

 private:
  enum class Kind { text, shape, whole, real };

  Kind kind_;
  std::string_view text_;
  const Shape* shape_ = nullptr;
  Index whole_ = 0;
  double real_ = 0;
};

/// The pieces joined to one message. It is never inlined, since a program has many messages and
/// none needs speed.
[[nodiscard]] std::string message(std::initializer_list<Piece> pieces);

/// Throws an Error whose message is the pieces joined.
template <class Error>
[[noreturn]] STRATA_COLD void fail(std::initializer_list<Piece> pieces) {
  detail::raise<Error>(message(pieces));
}

}  // namespace strata::messages

namespace strata::detail {

using messages::fail;
using messages::message;
using messages::number_text;
using messages::NumberStyle;

}  // namespace strata::detail

#ifdef STRATA_COMPILED
namespace strata::messages {

extern template void fail<ShapeError>(std::initializer_list<Piece>);
extern template void fail<ValueError>(std::initializer_list<Piece>);
extern template void fail<MemoryError>(std::initializer_list<Piece>);
extern template void fail<StateError>(std::initializer_list<Piece>);
extern template void fail<FileError>(std::initializer_list<Piece>);
extern template void fail<FormatError>(std::initializer_list<Piece>);

}  // namespace strata::messages
#else
#include <strata/base/message_definitions.hpp>
#endif
