#pragma once

#include <charconv>
#include <string>
#include <system_error>

#include <strata/io/common/where.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The version of Keras that wrote a file.
struct KerasVersion {
  /// The newest major version that is read. In a later one the known settings may mean something
  /// else. Later minor versions are read: where they add a setting, the reader refuses it by name.
  static constexpr int newest = 3;
  static constexpr int oldest = 2;

  int major = newest;

  /// Reads "3.15.1" or "2.15.0-tf". Throws FormatError on other major versions than 2 and 3.
  [[nodiscard]] static KerasVersion of(const std::string& text, const Where& where) {
    KerasVersion version;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, version.major);
    if (error != std::errc() || stop == end || *stop != '.' || version.major < oldest ||
        version.major > newest) {
      where.expected("Keras " + std::to_string(oldest) + " to " + std::to_string(newest) +
                         ", which strata " + version_string + " reads",
                     in_quotes(text));
    }
    return version;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
