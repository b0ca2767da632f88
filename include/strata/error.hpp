#pragma once

#include <stdexcept>
#include <string>

#include <strata/language/compiler.hpp>

namespace strata {

/// Base of all exceptions that strata throws. what() names the layer or argument, what was expected
/// and what was found.
class STRATA_SHOWN_TYPE Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit: a tensor's rank or sizes, or two layers that do not join.
class STRATA_SHOWN_TYPE ShapeError : public Error {
 public:
  using Error::Error;
};

/// A value out of range: NaN in the data, a label that is no class, an impossible option.
class STRATA_SHOWN_TYPE ValueError : public Error {
 public:
  using Error::Error;
};

/// Not enough memory: the sizes are possible, but the allocator refused them. what() says how much
/// was asked for.
class STRATA_SHOWN_TYPE MemoryError : public Error {
 public:
  using Error::Error;
};

/// A call that came too early: a prediction before the sizes are known, fit before compile.
class STRATA_SHOWN_TYPE StateError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be opened, read or written.
class STRATA_SHOWN_TYPE FileError : public Error {
 public:
  using Error::Error;
};

/// A file whose content does not follow its format, or does not fit the model. what() names the
/// file, the layer or tensor, the field, what was expected and what was found.
class STRATA_SHOWN_TYPE FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace strata
