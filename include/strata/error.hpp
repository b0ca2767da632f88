#pragma once

#include <stdexcept>
#include <string>

namespace strata {

/// Base of all exceptions that strata throws. what() names the layer or argument, what was expected
/// and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit: a tensor's rank or sizes, or two layers that do not join.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A value out of range: NaN in the data, a label that is no class, an impossible option.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// Not enough memory: the sizes are possible, but the allocator refused them. what() says how much
/// was asked for.
class MemoryError : public Error {
 public:
  using Error::Error;
};

/// A call that came too early: a prediction before the sizes are known, fit before compile.
class StateError : public Error {
 public:
  using Error::Error;
};

/// A file that cannot be opened, read or written.
class FileError : public Error {
 public:
  using Error::Error;
};

/// A file whose content does not follow its format, or does not fit the model. what() names the
/// file, the layer or tensor, the field, what was expected and what was found.
class FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace strata
