#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/arithmetic.hpp>
#include <strata/train/clip.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ValueError on a limit that is negative or not finite, and on two limits at once. `whose`:
/// the name of the update rule, for messages.
inline void check_clip(const std::string& whose, const Clip& clip) {
  const auto check = [&](const char* limit, double value) {
    check_setting(whose.c_str(), limit, value, value >= 0,
                  "at least 0 and finite, where 0 means no limit");
  };
  check(".clip.value", clip.value);
  check(".clip.norm", clip.norm);
  check(".clip.global_norm", clip.global_norm);
  if ((clip.value > 0) + (clip.norm > 0) + (clip.global_norm > 0) > 1) {
    detail::raise<ValueError>(whose + ": at most one limit of clip can be set");
  }
}

/// The limit that is set as a user writes it, ".clip = {.norm = 1}"; empty for none.
[[nodiscard]] inline std::string clip_text(const Clip& clip) {
  if (clip.value > 0) return message({".clip = {.value = ", clip.value, "}"});
  if (clip.norm > 0) return message({".clip = {.norm = ", clip.norm, "}"});
  if (clip.global_norm > 0) return message({".clip = {.global_norm = ", clip.global_norm, "}"});
  return {};
}

/// Scales numbers so that their Euclidean norm is at most `limit`. The numbers must be finite.
template <class Scalar>
void limit_norm(std::span<Scalar> numbers, double limit, const Threads& threads) {
  // The norm of the numbers, each divided by `divisor`.
  const auto norm_after = [&](double divisor) {
    std::vector<double> sums(Threads::ranges(numbers.size()));
    threads.run_ranges(numbers.size(), [&](std::size_t first, std::size_t size) {
      sums[first / Threads::range_size] =
          sum_of_squares(std::span<const Scalar>(numbers.subspan(first, size)), 1, divisor);
    });
    return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
  };
  const double norm = norm_after(1);
  constexpr double smallest_exact = 1e-140;
  if (is_finite(norm) && norm > smallest_exact) {
    if (norm <= limit) return;
    for (Scalar& number : numbers) number *= static_cast<Scalar>(limit / norm);
    return;
  }
  // The squares are too large for double, or so small that they have lost digits: the norm is
  // computed of numbers that are divided by the largest one.
  double largest = 0;
  for (const Scalar number : numbers) {
    largest = (std::max)(largest, std::abs(static_cast<double>(number)));
  }
  if (largest == 0) return;
  const double scaled_norm = norm_after(largest);
  if (scaled_norm <= limit / largest) return;
  for (Scalar& number : numbers) {
    number = static_cast<Scalar>(static_cast<double>(number) / largest * (limit / scaled_norm));
  }
}

/// Limits the gradients of all parameters in order.
template <class Scalar>
void clip_gradient(const Clip& limits, std::span<const Parameter<Scalar>> parameters,
                   std::span<Scalar> gradient, const Threads& threads) {
  if (limits.value > 0) {
    const auto limit = static_cast<Scalar>(limits.value);
    for (Scalar& number : gradient) number = std::clamp(number, -limit, limit);
  }
  if (limits.norm > 0) {
    std::span<Scalar> rest = gradient;
    for (const auto& parameter : parameters) {
      limit_norm(rest.first(parameter.values.size()), limits.norm, threads);
      rest = rest.subspan(parameter.values.size());
    }
  }
  if (limits.global_norm > 0) limit_norm(gradient, limits.global_norm, threads);
}

}  // namespace strata::detail::inline STRATA_RUNTIME
