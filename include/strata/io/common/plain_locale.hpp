#pragma once

#include <locale.h>

#include <string>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// While an object of this class lives, the C library reads and writes numbers in this thread with
/// a decimal point, whatever the program's locale is. Other threads keep their locale.
#if defined(_WIN32)
class PlainLocale {
 public:
  PlainLocale()
      : before_(::_configthreadlocale(_ENABLE_PER_THREAD_LOCALE)),
        name_(setlocale(LC_ALL, nullptr)) {
    setlocale(LC_ALL, "C");
  }
  PlainLocale(const PlainLocale&) = delete;
  PlainLocale& operator=(const PlainLocale&) = delete;
  ~PlainLocale() {
    setlocale(LC_ALL, name_.c_str());
    ::_configthreadlocale(before_);
  }

 private:
  int before_;
  std::string name_;
};
#else
class PlainLocale {
 public:
  PlainLocale() noexcept : plain_(::newlocale(LC_ALL_MASK, "C", locale_t{})) {
    if (plain_) before_ = ::uselocale(plain_);
  }
  PlainLocale(const PlainLocale&) = delete;
  PlainLocale& operator=(const PlainLocale&) = delete;
  ~PlainLocale() {
    if (!plain_) return;
    ::uselocale(before_);
    ::freelocale(plain_);
  }

 private:
  locale_t plain_;
  locale_t before_{};
};
#endif

}  // namespace strata::inline STRATA_RUNTIME::io
