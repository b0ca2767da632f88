#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#if defined(_WIN32)
#include <strata/io/common/atomic_file_windows.hpp>
#else
#include <strata/io/common/atomic_file_posix.hpp>
#endif
#include <strata/io/common/path.hpp>
#include <strata/target.hpp>

// A file that is there whole or not at all. The bytes go to a temporary file in the same folder,
// which is flushed to the disk and renamed when it is complete. Until then, and when anything fails
// or the program dies, an old file of the name stays as it was.
//
//   AtomicFile file("model.safetensors");
//   file.write(bytes);
//   file.commit();
//
// The temporary file is locked while it is written. The system drops the lock when the process
// ends, so a temporary file without a lock is a leftover of a dead program; see remove_leftovers.

namespace strata::inline STRATA_RUNTIME::io {

/// Throws FileError where AtomicFile cannot begin to write a file.
inline void check_writable(const Path& path) { AtomicFile file(path); }

/// Writes a whole file by AtomicFile. Throws FileError when that fails; an old file is whole then.
inline void write_file(const Path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}
inline void write_file(const Path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace strata::inline STRATA_RUNTIME::io
