#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

#include <strata/io/common/path.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

// The name of the temporary file in which AtomicFile writes a file until it is complete:
// ".strata-<hash of the file's name>-<16 random digits>.tmp", in the same folder. It has 45 letters
// however long the file's own name is, so that it is never too long for the file system.

namespace strata::inline STRATA_RUNTIME::io {

inline constexpr std::string_view temporary_prefix = ".strata-";
inline constexpr std::string_view temporary_suffix = ".tmp";
/// Ends the names of temporary files that could not be locked, which are never taken for leftovers.
inline constexpr std::string_view unlocked_suffix = ".unlocked";
inline constexpr std::string_view hexadecimal_digits = "0123456789abcdef";

/// A number as 16 hexadecimal digits.
[[nodiscard]] inline std::string hexadecimal(std::uint64_t number) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; number >>= 4) {
    text[i] = hexadecimal_digits[static_cast<std::size_t>(number & 15)];
  }
  return text;
}

/// The beginning of all temporary names of a file. The hash is FNV-1a,
/// https://datatracker.ietf.org/doc/draft-eastlake-fnv.
[[nodiscard]] inline std::string temporary_stem(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
  }
  return std::string(temporary_prefix) + hexadecimal(hash) + "-";
}

/// A new, random temporary name for a file. `can_lock`: whether the temporary file will be locked.
[[nodiscard]] inline std::string temporary_name(std::string_view name, bool can_lock) {
  std::random_device device;
  const std::uint64_t random = static_cast<std::uint64_t>(device()) << 32 | device();
  return temporary_stem(name) + hexadecimal(random) +
         std::string(can_lock ? temporary_suffix : unlocked_suffix);
}

/// Whether `candidate` is a temporary name of the file `name` for a temporary file with a lock.
[[nodiscard]] inline bool is_temporary_name(std::string_view candidate, std::string_view name) {
  const std::string stem = temporary_stem(name);
  if (candidate.size() != stem.size() + 16 + temporary_suffix.size()) return false;
  const std::string_view digits = candidate.substr(stem.size(), 16);
  return candidate.starts_with(stem) && candidate.ends_with(temporary_suffix) &&
         detail::all_of(digits, [](char letter) {
           return hexadecimal_digits.find(letter) != std::string_view::npos;
         });
}

[[nodiscard]] inline std::filesystem::path system_path(const Path& path) {
  return std::u8string(path.text().begin(), path.text().end());
}

[[nodiscard]] inline std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// The path of a file with all symbolic links followed, whether the file exists or not. Where the
/// folder does not exist, the folder's part of the path stays as it is.
[[nodiscard]] inline std::filesystem::path real_path(std::filesystem::path path) {
  constexpr int most_links = 40;
  std::error_code error;
  for (int links = 0; links < most_links; ++links) {
    const auto target = std::filesystem::read_symlink(path, error);
    if (error) break;
    path = folder_of(path) / target;
  }
  const auto folder = std::filesystem::canonical(folder_of(path), error);
  return error ? path : folder / path.filename();
}

}  // namespace strata::inline STRATA_RUNTIME::io
