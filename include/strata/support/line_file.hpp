#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#if defined(_WIN32)
#include <io.h>
#else
#include <sys/file.h>
#include <unistd.h>
#endif

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/support/open_file.hpp>

namespace strata::detail {

/// A text file to which one writer at a time adds lines.
class LineFile {
 public:
  /// Opens a file, or creates it; the content stays. Messages begin with `owner`. Throws FileError
  /// when the file cannot be opened, or when another LineFile of any process has it open.
  LineFile(std::string owner, std::string path) : owner_(std::move(owner)), path_(std::move(path)) {
    file_ = open_to_append(path_);
    if (!file_) fail("cannot open ");
    is_regular_ = size_of(file_).has_value();
    // A line that cannot be written must not wait in a buffer.
    std::setvbuf(file_, nullptr, _IONBF, 0);
#if !defined(_WIN32)
    // Other errors than EWOULDBLOCK come from file systems without locks, which are accepted.
    if (is_regular_ && flock(fileno(file_), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      std::fclose(file_);
      detail::raise<FileError>(
          owner_ + ": " + path_ +
          " is being written by another one; give each training a file of its own");
    }
#endif
  }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile() { std::fclose(file_); }

  /// The content of the file; empty for a device. Throws FileError when it cannot be read.
  [[nodiscard]] std::string content() const {
    if (!is_regular_) return {};
    std::FILE* const file = open_to_read(path_);
    if (!file) fail("cannot read ");
    std::string text;
    char part[4096];
    while (const std::size_t size = std::fread(part, 1, sizeof part, file)) text.append(part, size);
    const bool failed = std::ferror(file) != 0;
    std::fclose(file);
    if (failed) fail("cannot read ");
    return text;
  }

  /// Cuts the file after its first `size` bytes; does nothing for a device. Throws FileError when
  /// it cannot be written.
  void truncate(std::uintmax_t size) {
    if (!is_regular_) return;
#if defined(_WIN32)
    const bool done = _chsize_s(_fileno(file_), static_cast<long long>(size)) == 0;
#else
    const bool done = ftruncate(fileno(file_), static_cast<off_t>(size)) == 0;
#endif
    if (!done) fail("cannot write to ");
  }

  /// Adds a line and hands it to the operating system at once. Throws FileError when it cannot be
  /// written; no part of it is in the file then.
  void add(std::string line) {
    line += '\n';
    const std::optional<std::uintmax_t> before = size_of(file_);
    if (std::fwrite(line.data(), 1, line.size(), file_) == line.size()) return;
    std::clearerr(file_);
    if (before) truncate(*before);
    fail("cannot write to ");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    detail::raise<FileError>(owner_ + ": " + what + path_);
  }

  std::string owner_;
  std::string path_;
  std::FILE* file_ = nullptr;
  bool is_regular_ = false;
};

}  // namespace strata::detail
