#pragma once

#if !defined(_WIN32)

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <strata/error.hpp>
#include <strata/io/common/path.hpp>
#include <strata/io/common/temporary_name.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Whether `path` still names the file that `descriptor` has open, and not another file that took
/// its place.
[[nodiscard]] inline bool is_name_of(const std::filesystem::path& path, int descriptor) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/// Whether the file exists. Throws FileError when the system cannot tell, for example because a
/// folder may not be searched.
[[nodiscard]] inline bool is_there(const Path& path) {
  struct stat found {};
  if (::stat(path.text().c_str(), &found) == 0) return true;
  if (errno == ENOENT) return false;
  throw FileError(path.text() +
                  ": cannot be looked for: " + std::generic_category().message(errno));
}

/// AtomicFile as POSIX systems have it. Temporary files are locked by flock.
class AtomicFile {
 public:
  /// Opens the temporary file. A symbolic link is followed. Throws FileError when the folder or an
  /// old file of the name may not be written to, or when the path is no regular file.
  explicit AtomicFile(const Path& path) : path_(real_path(system_path(path))), shown_(path.text()) {
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
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Puts the file in its place. It takes over the mode of an old file there and, as far as the
  /// system permits, the owner and group. Throws FileError when that fails; the old file is whole
  /// then.
  void commit() {
    if (exists_) keep_owner_and_mode();
    if (::fsync(descriptor_) != 0) fail("cannot be flushed");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be put in place");
    // Closing ends the lock. After the rename no program can take the file for a leftover.
    temporary_.clear();
    (void)::close(std::exchange(descriptor_, -1));
    // The file's new name is an entry of the folder, which must reach the disk as well.
    const int directory = ::open(folder_of(path_).c_str(), O_RDONLY | O_CLOEXEC);
    if (directory < 0) return;
    (void)::fsync(directory);
    (void)::close(directory);
  }

 private:
  /// The longest name of a file, in bytes, in the file systems of Linux.
  static constexpr std::size_t longest_name = 255;

  /// Makes the temporary file and locks it. Between the two steps another program may remove the
  /// file as a leftover; then the loop takes another name.
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
      // In a file system without locks the file gets a name that is never taken for a leftover.
      can_lock = locked || errno == EWOULDBLOCK || errno == EINTR;
      discard();
    }
  }

  /// Gives the temporary file the owner, group and mode of the old file. The setuid and setgid bits
  /// are dropped, as every write drops them. Where the group cannot be kept, the new group gets no
  /// more rights than all other users had.
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

  /// Removes the temporary file. The lock is kept until the name is gone, so that no other program
  /// removes a new file of the same name.
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

/// Removes the temporary files that dead programs have left while they wrote this file: the files
/// in its folder whose names AtomicFile makes for it and that nobody has locked. Does nothing where
/// files may not be removed or cannot be locked.
inline void remove_leftovers(const Path& path) {
  const std::filesystem::path real = real_path(system_path(path));
  const std::string name = real.filename().string();
  std::error_code error;
  std::filesystem::directory_iterator entry(folder_of(real), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& found = entry->path();
    if (!is_temporary_name(found.filename().string(), name)) continue;
    const int descriptor = ::open(found.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) continue;
    // The lock is held while the name is checked and removed, so that no other file gets the name
    // in between.
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 && is_name_of(found, descriptor)) {
      (void)::unlink(found.c_str());
    }
    (void)::close(descriptor);
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io

#endif
