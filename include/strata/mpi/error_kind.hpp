#pragma once

#include <exception>
#include <string>
#include <utility>

#include <strata/error.hpp>

namespace strata::mpi {

/// What stands for the type of an error in messages between processes.
enum class ErrorKind { none, value, shape, state, memory, file, format, other };

/// What stands for an error in other processes.
[[nodiscard]] inline std::pair<ErrorKind, std::string> said_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ValueError& e) {
    return {ErrorKind::value, e.what()};
  } catch (const ShapeError& e) {
    return {ErrorKind::shape, e.what()};
  } catch (const StateError& e) {
    return {ErrorKind::state, e.what()};
  } catch (const MemoryError& e) {
    return {ErrorKind::memory, e.what()};
  } catch (const FileError& e) {
    return {ErrorKind::file, e.what()};
  } catch (const FormatError& e) {
    return {ErrorKind::format, e.what()};
  } catch (const std::exception& e) {
    return {ErrorKind::other, e.what()};
  } catch (...) {
    return {ErrorKind::other, "an exception that is no std::exception"};
  }
}

[[noreturn]] inline void throw_again(ErrorKind kind, const std::string& text) {
  switch (kind) {
    case ErrorKind::value:
      throw ValueError(text);
    case ErrorKind::shape:
      throw ShapeError(text);
    case ErrorKind::state:
      throw StateError(text);
    case ErrorKind::memory:
      throw MemoryError(text);
    case ErrorKind::file:
      throw FileError(text);
    case ErrorKind::format:
      throw FormatError(text);
    default:
      throw Error(text);
  }
}

}  // namespace strata::mpi
