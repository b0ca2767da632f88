#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The namespace strata::io holds the functions that the readers of all formats share.

namespace strata::inline STRATA_RUNTIME::io {

/// A text of a file for messages: in quotes, shortened to 80 letters, with letters that cannot be
/// printed written as their codes.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string shown = "\"";
  for (const char letter : text.substr(0, longest)) {
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x20 && code != 0x7f) {
      shown += letter;
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", code);
      shown += escape;
    }
  }
  return shown + (text.size() > longest ? "...\"" : "\"");
}

/// Sizes of any rank, as Python prints them: "(3, 200)".
[[nodiscard]] inline std::string sizes_text(const std::vector<Index>& sizes) {
  std::string text = "(";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(sizes[i]);
  }
  return text + (sizes.size() == 1 ? ",)" : ")");
}

/// The words with commas between them; "none" for an empty list.
[[nodiscard]] inline std::string list_text(const std::vector<std::string>& words) {
  if (words.empty()) return "none";
  constexpr std::size_t most = 40;
  std::string text;
  for (std::size_t i = 0; i < words.size() && i < most; ++i) {
    if (i > 0) text += ", ";
    text += words[i];
  }
  return text + (words.size() > most ? ", ..." : "");
}

/// A place in a file, from the file inwards. Every FormatError's message begins with one:
/// "model.h5: layer 2 (LSTM): units".
class Where {
 public:
  explicit Where(std::string file, bool allows_non_finite = false)
      : text_(std::move(file)), allows_non_finite_(allows_non_finite) {}

  /// A place within this one.
  [[nodiscard]] Where in(std::string_view part) const {
    return Where(text_ + ": " + std::string(part), allows_non_finite_);
  }

  /// Whether the caller has allowed weights that are infinite or NaN, by allow_non_finite.
  [[nodiscard]] bool allows_non_finite() const noexcept { return allows_non_finite_; }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// Throws FormatError with the message "<place>: expected <expected>, found <found>".
  [[noreturn]] void expected(const std::string& expected, const std::string& found) const {
    refuse("expected " + expected + ", found " + found);
  }

  /// Throws FormatError with the message "<place>: <what>".
  [[noreturn]] void refuse(const std::string& what) const {
    throw FormatError(text_ + ": " + what);
  }

 private:
  std::string text_;
  bool allows_non_finite_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
