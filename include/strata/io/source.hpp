#pragma once

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// What may stand for bytes in memory.
template <class Range>
concept ByteRange = std::ranges::contiguous_range<const Range> &&
    std::ranges::sized_range<const Range> &&
    (std::same_as<std::ranges::range_value_t<const Range>, std::byte> ||
     std::same_as<std::ranges::range_value_t<const Range>, unsigned char>);

/// The bytes of a file, or bytes in memory that the caller keeps, and their name for messages.
/// Every reader takes one, so that each works from memory too:
///
///   load("model.safetensors"), load(bytes), load({bytes, "the built-in model"})
class Source {
 public:
  /// Larger files are refused before they are read.
  static constexpr std::uintmax_t max_size = std::uintmax_t{1} << 36;

  /// Reads a file. Throws FileError when it cannot be read or is larger than `limit` bytes.
  Source(const std::filesystem::path& path, std::uintmax_t limit)
      : name_(path.string()), owned_(std::make_shared<const Bytes>(read(path, name_, limit))) {
    bytes_ = *owned_;
  }
  template <class Path>
    requires(std::convertible_to<const Path&, std::filesystem::path> && !ByteRange<Path>)
  Source(const Path& path) : Source(std::filesystem::path(path), max_size) {}

  /// Bytes that must outlive the source.
  template <ByteRange Range>
  Source(const Range& bytes, std::string name = "memory")
      : name_(std::move(name)),
        bytes_(std::as_bytes(std::span(std::ranges::data(bytes), std::ranges::size(bytes)))) {}

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] Where where() const { return Where(name_); }

 private:
  using Bytes = std::vector<std::byte>;

  [[nodiscard]] static Bytes read(const std::filesystem::path& path, const std::string& name,
                                  std::uintmax_t limit) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) throw FileError(name + ": is a folder");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(name.c_str(), "rb"),
                                                               std::fclose);
    if (!file) throw FileError(name + ": cannot be opened: " + std::strerror(errno));
    // The size is a hint: a pipe has none. What counts is what comes.
    const std::uintmax_t hint = std::filesystem::file_size(path, error);
    Bytes bytes;
    std::size_t used = 0;
    if (!error && hint <= limit) bytes.resize(static_cast<std::size_t>(hint) + 1);
    while (true) {
      if (used == bytes.size()) bytes.resize(std::max<std::size_t>(1 << 16, 2 * used));
      const std::size_t got = std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
      if (std::ferror(file.get())) {
        throw FileError(name + ": cannot be read: " + std::strerror(errno));
      }
      if (got == 0) break;
      used += got;
      if (used > limit || (!error && hint > limit)) {
        throw FileError(name + ": is larger than " + std::to_string(limit) + " bytes");
      }
    }
    bytes.resize(used);
    return bytes;
  }

  std::string name_;
  std::shared_ptr<const Bytes> owned_;
  std::span<const std::byte> bytes_;
};

}  // namespace strata::inline STRATA_TARGET::io
