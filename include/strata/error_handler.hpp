#pragma once

#include <atomic>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include <strata/error.hpp>
#include <strata/language/compiler.hpp>

// Where errors are thrown and caught, in programs with exceptions and without (-fno-exceptions).

namespace strata {

/// What a program without exceptions does about an error. It should not return.
using ErrorHandler = void (*)(const Error& error);

namespace detail {

/// Null for the handler that prints.
inline std::atomic<ErrorHandler> error_handler = nullptr;

}  // namespace detail

/// Sets the handler that is called where a program compiled with -fno-exceptions would throw, and
/// returns the one before. Null, as at first, stands for a handler that prints error.what() to the
/// standard error stream. Where a handler returns, std::abort ends the program, since no function
/// of strata goes on after an error. Programs with exceptions throw, and call no handler.
inline ErrorHandler set_error_handler(ErrorHandler handler) noexcept {
  return detail::error_handler.exchange(handler);
}

namespace detail {

/// Throws an E that is made from the arguments, or gives it to the handler.
template <std::derived_from<Error> E, class... Arguments>
[[noreturn]] STRATA_COLD void raise(Arguments&&... arguments) {
  E error(std::forward<Arguments>(arguments)...);
#ifdef __cpp_exceptions
  throw error;
#else
  if (const ErrorHandler handler = error_handler) {
    handler(error);
  } else {
    std::fprintf(stderr, "strata: %s\n", error.what());
  }
  std::abort();
#endif
}

/// Returns body(). Where it throws an E, calls handle(error), which throws another exception.
template <class E, class Body, class Handle>
decltype(auto) on_error(Body body, [[maybe_unused]] Handle handle) {
#ifdef __cpp_exceptions
  try {
    return body();
  } catch (const E& error) {
    handle(error);
    std::abort();
  }
#else
  return body();
#endif
}

/// Calls body(). Where it throws an exception, calls undo() and lets the exception go on.
template <class Body, class Undo>
void undo_on_error(Body body, [[maybe_unused]] Undo undo) {
#ifdef __cpp_exceptions
  try {
    body();
  } catch (...) {
    undo();
    throw;
  }
#else
  body();
#endif
}

/// Calls body(), and returns whether it throws no E.
template <class E, class Body>
[[nodiscard]] bool succeeds(Body body) {
#ifdef __cpp_exceptions
  try {
    body();
  } catch (const E&) {
    return false;
  }
#else
  body();
#endif
  return true;
}

/// Calls body(), and returns what() of the E that it throws; empty where it throws none.
template <class E, class Body>
[[nodiscard]] std::string error_text_of(Body body) {
#ifdef __cpp_exceptions
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
#else
  body();
#endif
  return {};
}

/// Calls body(), and returns the exception that it throws; null where it throws none.
template <class Body>
[[nodiscard]] std::exception_ptr exception_of(Body body) {
#ifdef __cpp_exceptions
  try {
    body();
  } catch (...) {
    return std::current_exception();
  }
#else
  body();
#endif
  return nullptr;
}

}  // namespace detail

}  // namespace strata
