#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

// Zip archives whose entries are stored as they are, which is all that torch.save writes.
// Compressed archives, such as those of Keras, are read by libzip.

namespace strata::inline STRATA_RUNTIME::io {

/// The checksum of zip archives (CRC-32 of ISO 3309).
[[nodiscard]] inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> all{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0xedb88320u : 0u);
      all[i] = value;
    }
    return all;
  }();
  std::uint32_t sum = 0xffffffffu;
  for (const std::byte byte : bytes) {
    sum = (sum >> 8) ^ table[(sum ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  }
  return ~sum;
}

/// The entries of a zip archive by name, as views of its bytes. Every size and place is checked
/// before it is used; checksums are compared when an entry is asked for.
class StoredZip {
 public:
  struct Entry {
    /// Empty where the entry is not stored as it is.
    std::span<const std::byte> bytes;
    std::uint32_t checksum = 0;
    bool is_stored = true;
    bool is_checked = false;
  };

  /// Throws FormatError on bytes that are no whole archive, and on an entry that is twice there.
  StoredZip(std::span<const std::byte> bytes, const Where& where) : bytes_(bytes), where_(where) {
    read_directory();
  }

  [[nodiscard]] const std::map<std::string, Entry>& entries() const noexcept { return entries_; }
  [[nodiscard]] bool contains(const std::string& name) const { return entries_.contains(name); }

  /// Throws FormatError where there is no such entry, where it is compressed or encrypted, and
  /// where its bytes are damaged.
  [[nodiscard]] std::span<const std::byte> read(const std::string& name) {
    const auto found = entries_.find(name);
    const Where here = where_.in(in_quotes(name));
    if (found == entries_.end()) here.refuse("is missing in the archive");
    Entry& entry = found->second;
    if (!entry.is_stored) here.refuse("is compressed or encrypted, which torch.save never does");
    if (!entry.is_checked && !has_checksum(entry)) {
      here.refuse("the bytes do not have their checksum: the file is damaged");
    }
    entry.is_checked = true;
    return entry.bytes;
  }

 private:
  [[nodiscard]] static bool has_checksum([[maybe_unused]] const Entry& entry) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    return true;  // A fuzzer seldom finds a checksum.
#else
    return crc32(entry.bytes) == entry.checksum;
#endif
  }

  [[nodiscard]] std::span<const std::byte> part(std::uint64_t first, std::uint64_t count) const {
    if (first > bytes_.size() || count > bytes_.size() - first) {
      where_.refuse("the archive is cut off or damaged");
    }
    return bytes_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }
  template <class Word>
  [[nodiscard]] Word word(std::uint64_t at) const {
    return read_word<Word>(part(at, sizeof(Word)).data());
  }
  void require_signature(std::uint64_t at, std::uint32_t signature) const {
    if (word<std::uint32_t>(at) != signature) where_.refuse("the archive is cut off or damaged");
  }

  /// The place of the record at the end of the archive, behind which a comment may stand.
  [[nodiscard]] std::uint64_t find_end() const {
    constexpr std::uint64_t record = 22, longest_comment = 0xffff;
    if (bytes_.size() < record) where_.refuse("the archive is cut off or damaged");
    const std::uint64_t last = bytes_.size() - record;
    const std::uint64_t first = last > longest_comment ? last - longest_comment : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (word<std::uint32_t>(at) == 0x06054b50u &&
          word<std::uint16_t>(at + 20) == bytes_.size() - record - at) {
        return at;
      }
    }
    where_.refuse("the archive has no end: it is cut off or damaged");
  }

  void read_directory() {
    const std::uint64_t end = find_end();
    std::uint64_t count = word<std::uint16_t>(end + 10);
    std::uint64_t at = word<std::uint32_t>(end + 16);
    // Archives with large sizes have a second record, whose place stands before the first.
    if (count == 0xffff || at == 0xffffffffu || word<std::uint32_t>(end + 12) == 0xffffffffu) {
      if (end < 20) where_.refuse("the archive is cut off or damaged");
      require_signature(end - 20, 0x07064b50u);
      const auto large = word<std::uint64_t>(end - 12);
      require_signature(large, 0x06064b50u);
      count = word<std::uint64_t>(large + 32);
      at = word<std::uint64_t>(large + 48);
    }
    for (std::uint64_t i = 0; i < count; ++i) at = read_entry(at);
  }

  /// Reads one entry of the directory, and returns the place of the next.
  [[nodiscard]] std::uint64_t read_entry(std::uint64_t at) {
    constexpr std::uint64_t fixed = 46;
    require_signature(at, 0x02014b50u);
    const auto flags = word<std::uint16_t>(at + 8);
    const auto method = word<std::uint16_t>(at + 10);
    const auto checksum = word<std::uint32_t>(at + 16);
    std::uint64_t packed = word<std::uint32_t>(at + 20);
    std::uint64_t size = word<std::uint32_t>(at + 24);
    const auto name_length = word<std::uint16_t>(at + 28);
    const auto extra_length = word<std::uint16_t>(at + 30);
    const auto comment_length = word<std::uint16_t>(at + 32);
    std::uint64_t local = word<std::uint32_t>(at + 42);
    const auto name_bytes = part(at + fixed, name_length);
    const std::string name(reinterpret_cast<const char*>(name_bytes.data()), name_bytes.size());
    const std::uint64_t extra = at + fixed + name_length;
    read_large_sizes(extra, extra_length, size, packed, local);
    const bool is_stored = (flags & 1) == 0 && method == 0 && packed == size;
    require_signature(local, 0x04034b50u);
    const std::uint64_t begin =
        local + 30 + word<std::uint16_t>(local + 26) + word<std::uint16_t>(local + 28);
    Entry entry{.bytes = {}, .checksum = checksum, .is_stored = is_stored};
    if (is_stored) entry.bytes = part(begin, size);
    if (!entries_.emplace(name, entry).second) {
      where_.in(in_quotes(name)).refuse("is twice in the archive");
    }
    return extra + extra_length + comment_length;
  }

  /// Sizes that need 64 bits stand in an extra field, in this order, where the field of 32 bits is
  /// full of ones.
  void read_large_sizes(std::uint64_t at, std::uint64_t length, std::uint64_t& size,
                        std::uint64_t& packed, std::uint64_t& local) const {
    const std::uint64_t end = at + length;
    (void)part(at, length);
    while (at + 4 <= end) {
      const auto kind = word<std::uint16_t>(at);
      const std::uint64_t next = at + 4 + word<std::uint16_t>(at + 2);
      if (next > end) where_.refuse("the archive is cut off or damaged");
      at += 4;
      for (std::uint64_t* value : {&size, &packed, &local}) {
        if (kind != 1 || *value != 0xffffffffu) continue;
        if (at + 8 > next) where_.refuse("the archive is cut off or damaged");
        *value = word<std::uint64_t>(at);
        at += 8;
      }
      at = next;
    }
  }

  std::span<const std::byte> bytes_;
  Where where_;
  std::map<std::string, Entry> entries_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
