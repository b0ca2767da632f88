#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Throws FormatError for a file, or a part of one, in the newer layout of HDF5, which Keras never
/// writes.
[[noreturn]] inline void refuse_newer_hdf5(const Where& where) {
  where.refuse(
      "the HDF5 file has the newer layout, which h5py writes with track_order=True, "
      "libver=\"latest\" or external links; strata reads that of Keras' own files: save the model "
      "again by Keras, with h5py.get_config().track_order = False");
}

/// Reads bytes from front to back. Throws FormatError on reading beyond their end.
class Hdf5Bytes {
 public:
  Hdf5Bytes(std::span<const std::byte> bytes, Where where)
      : bytes_(bytes), where_(std::move(where)) {}

  [[nodiscard]] const Where& where() const noexcept { return where_; }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> rest() const noexcept { return bytes_; }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size()) where_.refuse("the HDF5 file is damaged: a part of it is cut off");
    const auto part = bytes_.first(static_cast<std::size_t>(count));
    bytes_ = bytes_.subspan(static_cast<std::size_t>(count));
    return part;
  }
  void skip(std::uint64_t count) { take(count); }

  /// The next whole number. HDF5 writes whole numbers little-endian; only the elements of arrays
  /// may be big-endian.
  template <std::unsigned_integral Word>
  [[nodiscard]] Word word() {
    return read_word<Word>(take(sizeof(Word)).data());
  }
  [[nodiscard]] std::uint8_t byte() { return word<std::uint8_t>(); }

  /// Takes the next four bytes. Throws FormatError unless they are these letters.
  void require(const char (&letters)[5]) {
    const auto found = take(4);
    for (std::size_t i = 0; i < 4; ++i) {
      if (found[i] != static_cast<std::byte>(letters[i])) {
        where_.expected("an HDF5 " + std::string(letters), "other bytes");
      }
    }
  }

  /// Throws FormatError unless `version` is from `low` to `high`, the versions in Keras' files.
  /// `of` names the versioned part in the message.
  void require_version(const char* of, unsigned version, unsigned low, unsigned high) const {
    if (version < low || version > high) {
      where_.expected("an HDF5 " + std::string(of) + " of version " + std::to_string(low) +
                          (low == high ? "" : " to " + std::to_string(high)) +
                          ", as Keras' files have",
                      std::to_string(version));
    }
  }

 private:
  std::span<const std::byte> bytes_;
  Where where_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
