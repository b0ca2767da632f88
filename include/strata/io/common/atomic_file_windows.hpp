#pragma once

#if defined(_WIN32)

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/io/common/path.hpp>
#include <strata/io/common/temporary_name.hpp>
#include <strata/support/windows.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Whether the file exists. Throws FileError when the system cannot tell, for example because a
/// folder may not be searched.
[[nodiscard]] inline bool is_there(const Path& path) {
  if (::GetFileAttributesW(system_path(path).c_str()) != INVALID_FILE_ATTRIBUTES) return true;
  const DWORD error = ::GetLastError();
  if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return false;
  throw FileError(path.text() + ": cannot be looked for: " + detail::windows_message(error));
}

/// AtomicFile as Windows has it. A temporary file is opened without sharing, which is its lock.
class AtomicFile {
 public:
  /// Opens the temporary file. A symbolic link is followed. Throws FileError when the folder or an
  /// old file of the name may not be written to, or when the path is no file.
  explicit AtomicFile(const Path& path) : path_(real_path(system_path(path))), shown_(path.text()) {
    const DWORD attributes = ::GetFileAttributesW(path_.c_str());
    if (attributes != INVALID_FILE_ATTRIBUTES) {
      if (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE)) {
        throw FileError(shown_ + ": is no file to write to");
      }
      if (attributes & FILE_ATTRIBUTE_READONLY) fail("cannot be written", ERROR_ACCESS_DENIED);
    }
    if (path_.filename().wstring().size() > longest_name) {
      fail("cannot be written", ERROR_FILENAME_EXCED_RANGE);
    }
    do {
      const auto temporary = folder_of(path_) / temporary_name(text_of(path_.filename()), true);
      file_ = ::CreateFileW(temporary.c_str(), GENERIC_WRITE | DELETE, 0, nullptr, CREATE_NEW,
                            FILE_ATTRIBUTE_NORMAL, nullptr);
    } while (!is_open() && ::GetLastError() == ERROR_FILE_EXISTS);
    if (!is_open()) fail("cannot be written beside its place", ::GetLastError());
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// Throws FileError when the disk is full or fails.
  void write(std::span<const std::byte> bytes) {
    constexpr std::size_t most = std::size_t{1} << 30;
    while (!bytes.empty()) {
      const auto count = static_cast<DWORD>((std::min)(bytes.size(), most));
      DWORD written = 0;
      if (!::WriteFile(file_, bytes.data(), count, &written, nullptr)) {
        fail("cannot be written", ::GetLastError());
      }
      bytes = bytes.subspan(written);
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

  /// Puts the file in its place. Throws FileError when that fails; the old file is whole then.
  void commit() {
    if (!::FlushFileBuffers(file_)) fail("cannot be flushed", ::GetLastError());
    // Renamed while it is open, so that no program takes it for a leftover in between.
    const std::wstring name = std::filesystem::absolute(path_).wstring();
    const std::size_t letters = name.size() * sizeof(wchar_t);
    std::vector<std::byte> memory(sizeof(FILE_RENAME_INFO) + letters);
    FILE_RENAME_INFO info{};
    info.ReplaceIfExists = TRUE;
    info.FileNameLength = static_cast<DWORD>(letters);
    std::memcpy(memory.data(), &info, sizeof info);
    std::memcpy(memory.data() + offsetof(FILE_RENAME_INFO, FileName), name.data(), letters);
    if (!::SetFileInformationByHandle(file_, FileRenameInfo, memory.data(),
                                      static_cast<DWORD>(memory.size()))) {
      fail("cannot be put in place", ::GetLastError());
    }
    close();
  }

 private:
  static constexpr std::size_t longest_name = 255;

  [[nodiscard]] bool is_open() const noexcept { return file_ != INVALID_HANDLE_VALUE; }
  void close() noexcept { (void)::CloseHandle(std::exchange(file_, INVALID_HANDLE_VALUE)); }

  [[noreturn]] void fail(const char* what, DWORD error) {
    discard();
    throw FileError(shown_ + ": " + what + ": " + detail::windows_message(error));
  }

  /// Removes the temporary file.
  void discard() noexcept {
    if (!is_open()) return;
    FILE_DISPOSITION_INFO gone{};
    gone.DeleteFile = TRUE;
    (void)::SetFileInformationByHandle(file_, FileDispositionInfo, &gone, sizeof gone);
    close();
  }

  std::filesystem::path path_;
  std::string shown_;
  HANDLE file_ = INVALID_HANDLE_VALUE;
};

/// Removes the temporary files that dead programs have left while they wrote this file: the files
/// in its folder whose names AtomicFile makes for it and that nobody has open. Does nothing where
/// files may not be removed.
inline void remove_leftovers(const Path& path) {
  const std::filesystem::path real = real_path(system_path(path));
  const std::string name = text_of(real.filename());
  std::error_code error;
  std::filesystem::directory_iterator entry(folder_of(real), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (!is_temporary_name(text_of(entry->path().filename()), name)) continue;
    const HANDLE leftover =
        ::CreateFileW(entry->path().c_str(), DELETE, 0, nullptr, OPEN_EXISTING,
                      FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    if (leftover != INVALID_HANDLE_VALUE) (void)::CloseHandle(leftover);
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io

#endif
