#pragma once

#if !__has_include(<zip.h>)
#error \
    "strata::keras needs libzip: install libzip-dev (Debian, Ubuntu), libzip-devel (Fedora) or libzip (Homebrew), and link strata::keras; or define STRATA_WITHOUT_LIBZIP, and read no .keras archives"
#endif

#include <zip.h>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/keras/folder.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The files of a KerasFolder within a .keras file, which is a zip archive. Before any file is
/// unpacked, the constructor checks the names of all files, and that no file claims to unpack to
/// more bytes than its compressed bytes can hold.
class KerasArchive {
 public:
  /// The bytes must outlive the archive. Throws FormatError unless they are an undamaged zip
  /// archive with no other files than these three.
  KerasArchive(std::span<const std::byte> bytes, Where where)
      : where_(std::move(where)), zip_(open(bytes, where_)) {
    const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
    if (count < 0 || count > 64) {
      where_.expected("an archive of three files", std::to_string(count));
    }
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
      check(i, bytes.size());
    }
  }

  /// The unpacked contents of the file of this name. Throws FormatError when the archive has no
  /// such file, or when the file does not unpack to the size and the checksum that the archive
  /// gives for it.
  [[nodiscard]] std::vector<std::byte> read(const char* name) const {
    const Where here = where_.in(name);
    const auto found = entries_.find(name);
    if (found == entries_.end()) here.refuse("is missing in the archive");
    const Entry& entry = found->second;
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
        zip_fopen_index(zip_.get(), entry.index, 0), zip_fclose);
    if (!file) here.refuse("cannot be unpacked: " + std::string(zip_strerror(zip_.get())));
    std::vector<std::byte> content;
    try {
      content.resize(entry.size);
    } catch (const std::exception&) {
      here.refuse("unpacks to " + std::to_string(entry.size) + " bytes, which memory cannot hold");
    }
    std::size_t used = 0;
    while (used < content.size()) {
      const zip_int64_t got = zip_fread(file.get(), content.data() + used, content.size() - used);
      if (got <= 0) here.refuse("cannot be unpacked: the archive is damaged");
      used += static_cast<std::size_t>(got);
    }
    // Reading beyond the last byte makes libzip compare the checksum.
    std::byte more;
    if (zip_fread(file.get(), &more, 1) != 0) {
      here.refuse("unpacks to something else than the archive says");
    }
    return content;
  }

 private:
  struct Entry {
    zip_uint64_t index = 0;
    std::size_t size = 0;
  };
  using Zip = std::unique_ptr<zip_t, void (*)(zip_t*)>;

  /// One byte that is compressed with deflate unpacks to at most this number of bytes.
  static constexpr std::uint64_t max_expansion = 1032;

  [[nodiscard]] static Zip open(std::span<const std::byte> bytes, const Where& where) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    zip_t* zip =
        source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error) : nullptr;
    const std::string text = zip ? "" : zip_error_strerror(&error);
    if (source && !zip) zip_source_free(source);
    zip_error_fini(&error);
    if (!zip) where.refuse("this is not a whole zip archive: " + text);
    return {zip, zip_discard};
  }

  void check(zip_uint64_t index, std::size_t archive_size) {
    zip_stat_t stat;
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                    ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(zip_.get(), index, 0, &stat) != 0 || (stat.valid & needed) != needed) {
      where_.refuse("the archive does not say what it holds");
    }
    const std::string name = stat.name;
    const Where here = where_.in(in_quotes(name));
    if (name != keras_metadata && name != keras_config && name != keras_weights) {
      here.expected(
          "only " + std::string(keras_metadata) + ", " + keras_config + " and " + keras_weights,
          "this file");
    }
    if (stat.encryption_method != ZIP_EM_NONE ||
        (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)) {
      here.expected("a file that is stored or deflated", "another method");
    }
    if (stat.comp_size > archive_size || stat.size > max_expansion * (stat.comp_size + 1)) {
      here.refuse("unpacks to " + std::to_string(stat.size) + " bytes from " +
                  std::to_string(stat.comp_size) + ", which cannot be");
    }
    if (!entries_.emplace(name, Entry{index, static_cast<std::size_t>(stat.size)}).second) {
      here.refuse("is in the archive twice");
    }
  }

  Where where_;
  Zip zip_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
