#pragma once

#include <locale.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// While an object of this class lives, the C library reads and writes numbers in this thread with
/// a decimal point, whatever the program's locale is. Other threads keep their locale.
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

}  // namespace strata::inline STRATA_RUNTIME::io
