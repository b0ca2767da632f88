#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <strata/error.hpp>
#include <strata/io/common/temporary_name.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// Whether a name in a folder still is the name of an open file.
[[nodiscard]] inline bool is_name_of(const std::filesystem::path& path, int descriptor) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/// Whether there is a file. Throws FileError where that cannot be known.
[[nodiscard]] inline bool is_there(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) return true;
  if (errno == ENOENT) return false;
  throw FileError(path.string() +
                  ": cannot be looked for: " + std::generic_category().message(errno));
}

/// A file that is there whole or not at all: written beside its place under another name, flushed
/// to the disk, and renamed when it is complete. Until then, and when anything fails or the program
/// dies, a file that was there before stays as it was.
///
///   AtomicFile file("model.safetensors");
///   file.write(bytes);
///   file.commit();
///
/// While it is written the file is locked. The system drops the lock with the process, wherever
/// that runs, which tells what a dead program left from what a living one writes.
class AtomicFile {
 public:
  /// Throws FileError when the folder or the file that was there may not be written to, or when the
  /// path is something other than a file. A symbolic link is followed.
  explicit AtomicFile(const std::filesystem::path& path)
      : path_(real_path(path)), shown_(path.string()) {
    exists_ = ::stat(path_.c_str(), &before_) == 0;
    if (!exists_ && errno != ENOENT) fail("cannot be written");
    if (exists_ && !S_ISREG(before_.st_mode)) throw FileError(shown_ + ": is no file to write to");
    if (exists_ && ::faccessat(AT_FDCWD, path_.c_str(), W_OK, AT_EACCESS) != 0) {
      fail("cannot be written");
    }
    if (path_.filename().string().size() > longest_name) {
      errno = ENAMETOOLONG;
      fail("cannot be written");
    }
    open();
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

  /// Puts the file in its place, with the mode of the file that was there and, as far as the system
  /// permits, its owner and group. Throws FileError when that fails; the file before is whole then.
  void commit() {
    if (exists_) keep_owner_and_mode();
    if (::fsync(descriptor_) != 0) fail("cannot be flushed");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be put in place");
    // The lock ends here, when no other program can take the file for a leftover any more.
    temporary_.clear();
    (void)::close(std::exchange(descriptor_, -1));
    // The name is in the folder, which has to reach the disk as well.
    const int directory = ::open(folder_of(path_).c_str(), O_RDONLY | O_CLOEXEC);
    if (directory < 0) return;
    (void)::fsync(directory);
    (void)::close(directory);
  }

 private:
  /// Of a file's name in the file systems of Linux.
  static constexpr std::size_t longest_name = 255;

  /// Makes the temporary file and locks it. Another program may see the file before it is locked,
  /// and remove it; then this one takes another name.
  void open() {
    bool can_lock = true;
    while (true) {
      temporary_ = folder_of(path_) / temporary_name(path_.filename().string(), can_lock);
      // Nobody else may read or write the file before it has its owner and mode.
      const mode_t mode = exists_ ? 0600 : 0666;
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (descriptor_ < 0) {
        if (errno == EEXIST) continue;
        temporary_.clear();
        fail("cannot be written beside its place");
      }
      if (!can_lock) return;
      const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
      if (locked && is_name_of(temporary_, descriptor_)) return;
      // Without locks the file gets a name that is never taken for a leftover.
      can_lock = locked || errno == EWOULDBLOCK || errno == EINTR;
      discard();
    }
  }

  /// The setuid and setgid bits go, as with every write. Where the group cannot be kept, the new
  /// one gets no more rights than everybody had.
  void keep_owner_and_mode() {
    mode_t mode = before_.st_mode & 01777;
    struct stat now {};
    const bool is_kept = (::fstat(descriptor_, &now) == 0 && now.st_uid == before_.st_uid &&
                          now.st_gid == before_.st_gid) ||
                         ::fchown(descriptor_, before_.st_uid, before_.st_gid) == 0 ||
                         ::fchown(descriptor_, static_cast<uid_t>(-1), before_.st_gid) == 0;
    if (!is_kept) mode &= static_cast<mode_t>(~070u | (mode & 07u) << 3);
    (void)::fchmod(descriptor_, mode);
  }

  [[noreturn]] void fail(const char* what) {
    const std::string why = std::generic_category().message(errno);
    discard();
    throw FileError(shown_ + ": " + what + ": " + why);
  }

  /// Keeps the lock until the file has no name.
  void discard() noexcept {
    const int error = errno;
    if (!temporary_.empty()) (void)::unlink(temporary_.c_str());
    temporary_.clear();
    if (descriptor_ >= 0) (void)::close(std::exchange(descriptor_, -1));
    errno = error;
  }

  std::filesystem::path path_;
  std::string shown_;
  std::filesystem::path temporary_;
  struct stat before_ {};
  bool exists_ = false;
  int descriptor_ = -1;
};

/// Removes what programs that died while they wrote this file have left beside it: files of exactly
/// such names that nobody holds locked. Nothing happens where there is nothing to remove, no right
/// to, or no locks.
inline void remove_leftovers(const std::filesystem::path& path) {
  const std::filesystem::path real = real_path(path);
  const std::string name = real.filename().string();
  std::error_code error;
  std::filesystem::directory_iterator entry(folder_of(real), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& found = entry->path();
    if (!is_temporary_name(found.filename().string(), name)) continue;
    const int descriptor = ::open(found.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    // Under the lock, so that the name is not given to another file between the question and the
    // removal.
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_name_of(found, descriptor)) {
      (void)::unlink(found.c_str());
    }
    (void)::close(descriptor);
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
