#pragma once

#include <stdexcept>
#include <string>

namespace strata {

/// Base of everything strata throws. The text names the layer, what was expected and what was
/// found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit: a tensor's rank or sizes, or two layers that do not join.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A value outside of its range: NaN in the data, a label without a class, an impossible option.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// Memory that is not there: the sizes are possible, but there is no room for them. The text says
/// how much was asked for.
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

/// A file that is not what it should be. The text names the file, the layer or tensor, the field,
/// what was expected and what was found.
class FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace strata
