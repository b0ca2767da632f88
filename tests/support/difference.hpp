#pragma once

namespace strata::test {

// A central difference with step h has an error of about h^2 times the third derivative, plus the
// rounding error of the function, 1e-16 times its size, over h. At 1e-5 both are below 1e-9 here.
inline constexpr double difference_step = 1e-5;
inline constexpr double difference_tolerance = 2e-8;

/// The derivative of f() by the number that `value` refers to.
template <class F>
double difference(double& value, F f) {
  const double kept = value;
  value = kept + difference_step;
  const double above = f();
  value = kept - difference_step;
  const double below = f();
  value = kept;
  return (above - below) / (2 * difference_step);
}

}  // namespace strata::test
