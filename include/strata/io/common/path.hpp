#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

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
      { other.string() } -> std::same_as<std::string>;
    }
  Path(const Other& other) : text_(other.string()) {}
  template <class Entry>
    requires requires(const Entry& entry) {
      { entry.path().string() } -> std::same_as<std::string>;
    }
  Path(const Entry& entry) : text_(entry.path().string()) {}

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
