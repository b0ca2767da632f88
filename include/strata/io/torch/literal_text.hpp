#pragma once

#include <string>
#include <string_view>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A text as a string literal of C++, for the lines of code in messages.
[[nodiscard]] inline std::string literal_text(std::string_view text) {
  std::string literal = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7f) {
      const char digits[] = {'\\', static_cast<char>('0' + code / 64),
                             static_cast<char>('0' + code / 8 % 8),
                             static_cast<char>('0' + code % 8)};
      literal.append(digits, sizeof digits);
    } else {
      if (letter == '"' || letter == '\\') literal += '\\';
      literal += letter;
    }
  }
  return literal + "\"";
}

}  // namespace strata::inline STRATA_RUNTIME::io
