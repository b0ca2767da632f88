#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/support/open_file.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A file that is read from its beginning, as far as it is asked for, and kept in memory. Every
/// function throws FileError when the file cannot be opened or read, is larger than the limit, or
/// does not fit into memory. A folder can be opened, for those who look into it, and not read.
class SourceFile {
 public:
  /// Opens the file. `limit`: the largest size in bytes.
  SourceFile(std::string name, std::uintmax_t limit)
      : name_(std::move(name)),
        limit_(limit),
        is_folder_(detail::is_folder(name_)),
        file_(is_folder_ ? nullptr : detail::open_to_read(name_), std::fclose) {
    if (is_folder_) return;
    if (!file_) fail("cannot be opened");
    // A pipe has no size; read_some compares the bytes that arrive with the limit.
    size_ = detail::size_of(file_.get());
    if (size_.value_or(0) > limit_) refuse_size();
  }

  /// The first `count` bytes, or all if there are fewer.
  [[nodiscard]] std::span<const std::byte> read(std::size_t count) {
    if (is_folder_) refuse_folder();
    if (file_ && used_ < count) {
      reserve(count);
      while (file_ && used_ < count) read_some(count - used_);
    }
    return std::span<const std::byte>(bytes_).first(std::min(count, used_));
  }

  [[nodiscard]] std::span<const std::byte> read_all() {
    if (is_folder_) refuse_folder();
    // Asking for one byte more than the file has finds its end in the same call.
    if (file_ && size_) (void)read(static_cast<std::size_t>(*size_) + 1);
    while (file_) (void)read(std::max<std::size_t>(1 << 16, 2 * used_));
    return std::span<const std::byte>(bytes_).first(used_);
  }

  [[nodiscard]] std::uintmax_t size() { return size_ && file_ ? *size_ : read_all().size(); }

 private:
  void reserve(std::size_t count) {
    if (bytes_.size() >= count) return;
    try {
      bytes_.resize(count);
    } catch (const std::bad_alloc&) {
      refuse_memory(count);
    } catch (const std::length_error&) {
      refuse_memory(count);
    }
  }

  void read_some(std::size_t count) {
    const std::size_t got = std::fread(bytes_.data() + used_, 1, count, file_.get());
    if (std::ferror(file_.get())) fail("cannot be read");
    used_ += got;
    if (used_ > limit_) refuse_size();
    if (got == 0) file_.reset();
  }

  [[noreturn]] void fail(const char* what) const {
    throw FileError(name_ + ": " + what + ": " + std::generic_category().message(errno));
  }
  [[noreturn]] void refuse_folder() const {
    const bool is_saved_model = detail::exists(name_ + "/saved_model.pb");
    throw FileError(name_ + (is_saved_model
                                 ? ": is a folder, a SavedModel of TensorFlow; load it with the "
                                   "TensorFlow that saved it, and save the model as one file: "
                                   "model.save(\"m.keras\")"
                                 : ": is a folder"));
  }
  [[noreturn]] void refuse_size() const {
    throw FileError(name_ + ": is larger than " + std::to_string(limit_) + " bytes");
  }
  [[noreturn]] void refuse_memory(std::size_t count) const {
    throw FileError(name_ + ": memory cannot hold the " + std::to_string(count) +
                    " bytes that are to be read");
  }

  std::string name_;
  std::uintmax_t limit_;
  bool is_folder_;
  /// Null for a folder, and after the end of the file is reached.
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  /// The file's size by the file system; nothing for a pipe.
  std::optional<std::uintmax_t> size_;
  std::vector<std::byte> bytes_;
  std::size_t used_ = 0;
};

}  // namespace strata::inline STRATA_RUNTIME::io
