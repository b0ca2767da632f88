#pragma once

#include <algorithm>
#include <cmath>

#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The logarithm that stands for a probability of 0. It is finite, so that differences are numbers.
inline constexpr double log_of_zero = -1e300;

/// x, but not less than a number. What is not a number stays so.
template <class P>
[[nodiscard]] STRATA_ALWAYS_INLINE P at_least(double least, P x) {
  const P bound = P::broadcast(least);
  return where_less(x, bound, bound, x);
}

/// e^x, where numbers below -700 count as -700: added to 1 they change nothing, and their
/// exponential may be a denormal number.
template <class P>
[[nodiscard]] STRATA_ALWAYS_INLINE P normal_exp(P x) {
  return exp(at_least(-700, x));
}

/// log(e^a + e^b)
[[nodiscard]] inline double log_sum(double a, double b) {
  const double larger = (std::max)(a, b);
  return larger + std::log1p(std::exp(std::min(a, b) - larger));
}

/// The logarithm of the sum of the exponentials, at any size of the numbers.
template <class Scalar>
[[nodiscard]] double log_sum_exp(const Scalar* logits, Index size) {
  using P = Pack<double>;
  const double largest = static_cast<double>(*std::max_element(logits, logits + size));
  P sums = P::broadcast(0);
  for (Index i = 0; i < size; i += P::width) {
    double lanes[P::width];
    for (Index lane = 0; lane < P::width; ++lane) {
      lanes[lane] = i + lane < size ? static_cast<double>(logits[i + lane]) - largest : log_of_zero;
    }
    sums = sums + normal_exp(P::load(lanes));
  }
  return largest + std::log(sum(sums));
}

/// Writes the logarithms of the probabilities softmax(logits).
template <class Scalar>
void log_softmax(const Scalar* logits, Index size, double* log_probabilities) {
  const double log_sum = log_sum_exp(logits, size);
  for (Index i = 0; i < size; ++i) {
    log_probabilities[i] = static_cast<double>(logits[i]) - log_sum;
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
