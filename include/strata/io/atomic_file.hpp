#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <strata/error.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// A file that is there whole or not at all: written beside its place under another name, flushed
/// to the disk, and renamed when it is complete. Until then, and when anything fails or the program
/// dies, a file that was there before stays as it was.
///
///   AtomicFile file("model.safetensors");
///   file.write(bytes);
///   file.commit();
class AtomicFile {
 public:
  /// Throws FileError when nothing can be written in the folder, or when the path is something
  /// other than a file. A symbolic link is followed.
  explicit AtomicFile(const std::filesystem::path& path) : path_(path), shown_(path.string()) {
    std::error_code error;
    if (const auto real = std::filesystem::canonical(path, error); !error) path_ = real;
    struct stat before {};
    const bool exists = ::stat(path_.c_str(), &before) == 0;
    if (exists && !S_ISREG(before.st_mode)) throw FileError(shown_ + ": is no file to write to");
    // Unique in this folder: O_EXCL decides, not the number.
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      temporary_ =
          path_.string() + ".tmp" + std::to_string(::getpid()) + "." + std::to_string(attempt);
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno != EEXIST) {
        const std::string why = std::strerror(errno);
        temporary_.clear();
        throw FileError(shown_ + ": cannot be written: " + why);
      }
    }
    if (exists) (void)::fchmod(descriptor_, before.st_mode & 07777);
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// Throws FileError when the disk is full or fails.
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        fail("cannot be written");
      }
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Puts the file in its place. Throws FileError when that fails; the file before is whole then.
  void commit() {
    if (::fsync(descriptor_) != 0) fail("cannot be flushed");
    if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be written");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be put in place");
    temporary_.clear();
    // The name is in the folder, which has to reach the disk as well.
    const std::filesystem::path folder =
        path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
    const int directory = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (directory < 0) return;
    (void)::fsync(directory);
    (void)::close(directory);
  }

 private:
  [[noreturn]] void fail(const char* what) {
    const std::string why = std::strerror(errno);
    discard();
    throw FileError(shown_ + ": " + what + ": " + why);
  }

  void discard() noexcept {
    if (descriptor_ >= 0) (void)::close(std::exchange(descriptor_, -1));
    if (!temporary_.empty()) (void)::unlink(temporary_.c_str());
    temporary_.clear();
  }

  std::filesystem::path path_;
  std::string shown_;
  std::string temporary_;
  int descriptor_ = -1;
};

/// Removes what programs that died while they wrote this file have left beside it. Nothing happens
/// where there is nothing to remove, or no right to.
inline void remove_leftovers(const std::filesystem::path& path) {
  const std::string prefix = path.filename().string() + ".tmp";
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const int process = std::atoi(name.c_str() + prefix.size());
    const bool is_dead = process > 0 && ::kill(process, 0) != 0 && errno == ESRCH;
    if (is_dead) std::filesystem::remove(entry.path(), error);
  }
}

/// Writes a whole file; see AtomicFile.
inline void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace strata::inline STRATA_TARGET::io
