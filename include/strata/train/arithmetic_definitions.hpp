#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/train/arithmetic.hpp>
#include <strata/train/weight_rules.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
double sum_of_squares(std::span<const Scalar> numbers, std::size_t stride, double divisor) {
  double sum = 0;
  for (std::size_t i = 0; i < numbers.size(); i += stride) {
    const double part = static_cast<double>(numbers[i]) / divisor;
    sum += part * part;
  }
  return sum;
}

template <class Scalar>
double add_penalty(const L1L2& penalty, std::span<const Scalar> weights, std::span<Scalar> gradient,
                   double sum) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto w = static_cast<double>(weights[i]);
    sum += penalty.l1 * std::abs(w) + penalty.l2 * w * w;
    if (gradient.empty()) continue;
    const double sign = w > 0 ? 1 : w < 0 ? -1 : 0;
    gradient[i] += static_cast<Scalar>(penalty.l1 * sign + 2 * penalty.l2 * w);
  }
  return sum;
}

template <class Scalar>
void add_noise(std::span<Scalar> weights, double deviation, Random& random) {
  for (Scalar& weight : weights) weight += static_cast<Scalar>(deviation * random.normal());
}

template <class Scalar>
void add_to(std::span<Scalar> sums, std::span<const Scalar> numbers) noexcept {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += numbers[i];
}

}  // namespace strata::detail::inline STRATA_RUNTIME
