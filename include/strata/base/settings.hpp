#pragma once

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>

namespace strata::detail {

/// Throws ValueError unless `value` is finite and `fits`. `range` says in words what fits: "Adam:
/// beta_1 must be at least 0 and below 1, found 2".
inline void check_setting(const char* whose, const char* setting, double value, bool fits,
                          const char* range) {
  if (is_finite(value) && fits) return;
  fail<ValueError>({whose, ": ", setting, " must be ", range, ", found ", value});
}

/// Calls `object.check()` where it exists: a rule, loss or metric throws ValueError there on
/// settings that make no sense.
template <class T>
void check_settings(const T& object) {
  if constexpr (requires { object.check(); }) object.check();
}

}  // namespace strata::detail
