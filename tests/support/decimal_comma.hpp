#pragma once

#include <clocale>
#include <cstdlib>
#include <locale>
#include <string>

#include "catch.hpp"
#include "temporary_folder.hpp"

namespace strata::test {

/// While it lives, the program writes 1234.5 as "1.234,5", as after a call of setlocale by a
/// toolkit for user interfaces: by streams, and by the C library where this machine has such a
/// locale or can make one (localedef, of Debian's package locales). A test that goes without the
/// latter says so.
class DecimalComma {
 public:
  DecimalComma() : c_before_(std::setlocale(LC_ALL, nullptr)) {
    if (!set_c_locale()) {
      WARN(
          "the C library's numbers were not tested: no locale with a decimal comma, and none could "
          "be made; install the package locales");
    }
  }
  DecimalComma(const DecimalComma&) = delete;
  DecimalComma& operator=(const DecimalComma&) = delete;
  ~DecimalComma() {
    std::locale::global(cpp_before_);
    std::setlocale(LC_ALL, c_before_.c_str());
  }

 private:
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  [[nodiscard]] static bool set_c_locale() {
    for (const char* name :
         {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE", "de-DE"}) {
      if (std::setlocale(LC_ALL, name)) return has_comma();
    }
#if defined(_WIN32)
    return false;
#else
    static const TemporaryFolder folder;
    static const int made = std::system(
        ("localedef -i de_DE -f UTF-8 " + (folder / "de_DE.UTF-8").string() + " >/dev/null 2>&1")
            .c_str());
    if (made < 0) return false;
    ::setenv("LOCPATH", folder.path().c_str(), 1);
    const bool is_set = std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
    ::unsetenv("LOCPATH");
    return is_set && has_comma();
#endif
  }
  [[nodiscard]] static bool has_comma() {
    return std::string(std::localeconv()->decimal_point) == ",";
  }

  std::string c_before_;
  std::locale cpp_before_ = std::locale::global(std::locale(std::locale::classic(), new Comma));
};

}  // namespace strata::test
