#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// What ends the name of a folder in a path.
#if defined(_WIN32)
inline constexpr const char* path_separators = "/\\";
#else
inline constexpr const char* path_separators = "/";
#endif

/// The path of a std::filesystem::path as text: UTF-8 on Windows, elsewhere its bytes.
template <class Other>
[[nodiscard]] std::string text_of(const Other& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

/// The path of a file, made from a text, a std::filesystem::path or an entry of a folder. The
/// constructors know std::filesystem by the names of its functions alone, since its header is slow
/// to compile.
class Path {
 public:
  Path(const char* text) : text_(text) {}
  Path(std::string text) : text_(std::move(text)) {}
  Path(std::string_view text) : text_(text) {}
  template <class Other>
    requires requires(const Other& other) {
      { other.u8string() } -> std::same_as<std::u8string>;
    }
  Path(const Other& other) : text_(text_of(other)) {}
  template <class Entry>
    requires requires(const Entry& entry) {
      { entry.path().u8string() } -> std::same_as<std::u8string>;
    }
  Path(const Entry& entry) : text_(text_of(entry.path())) {}

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
