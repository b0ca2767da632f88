#pragma once

#include <strata/detail/finite.hpp>
#include <strata/detail/text.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

// Checks of the options of callbacks. Each throws ValueError, which names the callback and the
// option.

namespace strata::inline STRATA_TARGET::detail {

inline void check_option(const char* callback, const char* option, int value, int least) {
  if (value >= least) return;
  fail<ValueError>({callback, ": ", option, " must be at least ", least, ", found ", value});
}

inline void check_option(const char* callback, const char* option, double value) {
  if (is_finite(value) && value >= 0) return;
  fail<ValueError>({callback, ": ", option, " must be at least 0 and finite, found ", value});
}

/// A number from 0 to 1.
inline void check_share(const char* callback, const char* option, double value) {
  if (is_finite(value) && value >= 0 && value <= 1) return;
  fail<ValueError>({callback, ": ", option, " must be in [0, 1], found ", value});
}

}  // namespace strata::inline STRATA_TARGET::detail
