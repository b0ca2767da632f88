#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#if defined(_WIN32)
#include <io.h>
#include <share.h>

#include <strata/support/windows.hpp>
#endif

// Files by their names, which on Windows are UTF-8, and what the system knows of them.

namespace strata::detail {

/// Opens a file to read it. Returns null and sets errno where that fails. The programs that this
/// one starts do not inherit the file.
[[nodiscard]] inline std::FILE* open_to_read(const std::string& name) {
#if defined(_WIN32)
  return _wfopen(windows_text(name).c_str(), L"rbN");
#else
  return std::fopen(name.c_str(), "rbe");
#endif
}

/// Opens a file, or creates it, to add to its end; all else as open_to_read. On Windows nobody else
/// can write to the file then.
[[nodiscard]] inline std::FILE* open_to_append(const std::string& name) {
#if defined(_WIN32)
  return _wfsopen(windows_text(name).c_str(), L"abN", _SH_DENYWR);
#else
  return std::fopen(name.c_str(), "abe");
#endif
}

/// Whether a file can be opened to read it.
[[nodiscard]] inline bool exists(const std::string& name) {
  std::FILE* const file = open_to_read(name);
  return file && std::fclose(file) == 0;
}

/// Whether a path leads to a folder.
[[nodiscard]] inline bool is_folder(const std::string& name) {
#if defined(_WIN32)
  const DWORD attributes = ::GetFileAttributesW(windows_text(name).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
#else
  struct stat found {};
  return ::stat(name.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
#endif
}

/// The size in bytes of an open file; nothing for a device, pipe or terminal.
[[nodiscard]] inline std::optional<std::uintmax_t> size_of(std::FILE* file) {
#if defined(_WIN32)
  struct _stat64 found {};
  const bool is_regular =
      _fstat64(_fileno(file), &found) == 0 && (found.st_mode & _S_IFMT) == _S_IFREG;
#else
  struct stat found {};
  const bool is_regular = ::fstat(::fileno(file), &found) == 0 && S_ISREG(found.st_mode);
#endif
  if (!is_regular) return std::nullopt;
  return static_cast<std::uintmax_t>(found.st_size);
}

}  // namespace strata::detail
