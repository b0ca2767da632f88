#pragma once

#include <ostream>
#include <string>

namespace strata::test {

/// Compares with == to a text that contains it, so that a failing check shows both.
struct Contains {
  std::string part;

  friend bool operator==(const std::string& text, const Contains& wanted) {
    return text.find(wanted.part) != std::string::npos;
  }
  friend std::ostream& operator<<(std::ostream& to, const Contains& wanted) {
    return to << "... " << wanted.part << " ...";
  }
};

}  // namespace strata::test
