#pragma once

#include <string>

namespace strata::test {

/// The text of the E that f throws. Any other exception passes through and fails the test.
template <class E, class F>
[[nodiscard]] std::string error_text(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

}  // namespace strata::test
