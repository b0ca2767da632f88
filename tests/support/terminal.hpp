#pragma once

#if defined(__linux__)

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "catch.hpp"

namespace strata::test {

/// A terminal of 24 rows that a program writes to. On a machine that has none to give it warns, and
/// out() is null.
class Terminal {
 public:
  explicit Terminal(unsigned short columns = 0) {
    winsize size{24, columns, 0, 0};
    int program = -1;
    if (openpty(&terminal_, &program, nullptr, nullptr, columns == 0 ? nullptr : &size) != 0) {
      WARN("skipped: there are no terminals here: " << std::strerror(errno));
      return;
    }
    out_ = fdopen(program, "w");
    REQUIRE(out_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (out_) std::fclose(out_);
    if (terminal_ != -1) close(terminal_);
  }

  /// The program's end.
  [[nodiscard]] std::FILE* out() const noexcept { return out_; }

  /// What the program has written and flushed so far. It is read only now, so it has to fit into
  /// the terminal's buffer of 4096 bytes.
  [[nodiscard]] std::string written() const {
    std::string text;
    REQUIRE(fcntl(terminal_, F_SETFL, O_NONBLOCK) == 0);
    char buffer[4096];
    for (ssize_t size = 0; (size = read(terminal_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }

 private:
  int terminal_ = -1;
  std::FILE* out_ = nullptr;
};

}  // namespace strata::test

#endif
