#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <strata/io/common/path.hpp>
#include <strata/io/common/where.hpp>
#include <strata/model/allow_non_finite.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

class SourceFile;

/// A range that a Source can view as bytes: contiguous, of std::byte or unsigned char.
template <class Range>
concept ByteRange = std::ranges::contiguous_range<const Range> &&
    std::ranges::sized_range<const Range> &&
    (std::same_as<std::ranges::range_value_t<const Range>, std::byte> ||
     std::same_as<std::ranges::range_value_t<const Range>, unsigned char>);

/// The bytes of a file, or bytes in memory that the caller keeps, with a name for messages. Every
/// reader takes a Source, so that each works from memory too:
///
///   load("model.safetensors"), load(bytes), load({bytes, "the built-in model"}),
///   load({"model.safetensors", allow_non_finite})
///
/// The constructor opens a file; its bytes are read only when they are asked for, so that a reader
/// can refuse a file by the first bytes.
class Source {
 public:
  /// Larger files are refused before they are read.
  static constexpr std::uintmax_t max_size = std::uintmax_t{1} << 36;

  /// Opens a file. Throws FileError when it cannot be opened or is larger than `limit` bytes. A
  /// folder is refused only when its bytes are asked for.
  Source(const Path& path, std::uintmax_t limit);
  template <class Name>
    requires(std::convertible_to<const Name&, Path> && !ByteRange<Name>)
  Source(const Name& path) : Source(Path(path), max_size) {}
  template <class Name>
    requires(std::convertible_to<const Name&, Path> && !ByteRange<Name>)
  Source(const Name& path, AllowNonFinite) : Source(path) { allows_non_finite_ = true; }

  /// Views bytes in memory, which must outlive the source.
  template <ByteRange Range>
  Source(const Range& bytes, std::string name = "memory")
      : name_(std::move(name)),
        bytes_(std::as_bytes(std::span(std::ranges::data(bytes), std::ranges::size(bytes)))) {}
  template <ByteRange Range>
  Source(const Range& bytes, std::string name, AllowNonFinite) : Source(bytes, std::move(name)) {
    allows_non_finite_ = true;
  }
  template <ByteRange Range>
  Source(const Range& bytes, AllowNonFinite) : Source(bytes, "memory", allow_non_finite) {}

  /// All bytes. Throws FileError when the file cannot be read, is larger than allowed, or does not
  /// fit into memory; so do head, size and text.
  [[nodiscard]] std::span<const std::byte> bytes() const;
  /// The first `count` bytes, or all if there are fewer. The span is valid until more bytes are
  /// read.
  [[nodiscard]] std::span<const std::byte> head(std::size_t count) const;
  /// The number of bytes. A pipe does not tell its size, so all its bytes are read first.
  [[nodiscard]] std::uintmax_t size() const;
  [[nodiscard]] std::string_view text() const;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether the bytes are those of a file, whose path is name(), and not bytes in memory.
  [[nodiscard]] bool is_file() const noexcept { return file_ != nullptr; }
  [[nodiscard]] Where where() const { return Where(name_, allows_non_finite_); }

 private:
  std::string name_;
  /// Null for bytes in memory. Shared, so that copies of a source read the file once.
  std::shared_ptr<SourceFile> file_;
  std::span<const std::byte> bytes_;
  bool allows_non_finite_ = false;
};

}  // namespace strata::inline STRATA_RUNTIME::io

#ifndef STRATA_COMPILED
#include <strata/io/common/source_definitions.hpp>
#endif
