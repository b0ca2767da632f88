#pragma once

#include <atomic>
#include <span>
#include <string>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The error that a loss, a gradient or a weight is infinite or not a number.
class NotFinite : public ValueError {
 public:
  using ValueError::ValueError;
};

/// Throws NotFinite. `advice`: a sentence that names what the user may change.
[[noreturn]] inline void fail_not_finite(const char* what, const std::string& advice) {
  fail<NotFinite>({what, "; the weights are kept from before. ", advice});
}

/// Whether all numbers are finite, checked by several threads.
template <class Scalar>
[[nodiscard]] bool all_finite_by_threads(std::span<const Scalar> values, const Threads& threads) {
  std::atomic<bool> finite = true;
  threads.run_ranges(values.size(), [&](std::size_t first, std::size_t size) {
    if (!all_finite(values.subspan(first, size))) finite = false;
  });
  return finite;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
