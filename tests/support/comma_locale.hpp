#pragma once

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <string>

#if defined(__linux__)
#include <stdlib.h>
#endif

#include "temporary_folder.hpp"

namespace strata::test {

/// While it lives, the program's C locale is one whose numbers have a decimal comma, where the
/// system has such a locale or can make one.
class CommaLocale {
 public:
  CommaLocale() {
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "ru_RU.UTF-8"}) {
      if (sets(name)) return;
    }
#if defined(__linux__)
    const std::string made = (folder_ / "de_DE.UTF-8").string();
    const std::string command = "localedef -i de_DE -f UTF-8 '" + made + "' >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0) return;
    setenv("LOCPATH", folder_.path().c_str(), 1);
    sets("de_DE.UTF-8");
    unsetenv("LOCPATH");
#endif
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;
  ~CommaLocale() { std::setlocale(LC_ALL, "C"); }

  [[nodiscard]] bool is_there() const noexcept { return is_there_; }

 private:
  bool sets(const char* name) {
    is_there_ =
        std::setlocale(LC_ALL, name) && std::string(std::localeconv()->decimal_point) == ",";
    if (!is_there_) std::setlocale(LC_ALL, "C");
    return is_there_;
  }

  TemporaryFolder folder_;
  bool is_there_ = false;
};

}  // namespace strata::test
