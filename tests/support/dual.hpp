#pragma once

#include <cmath>

#include <Eigen/Core>

namespace strata::test {

/// a + b e with e^2 = 0: a value, and its derivative in one direction (forward-mode automatic
/// differentiation). It has the operations that LSTMCell needs of a Scalar, and no more.
struct Dual {
  double value = 0;
  double slope = 0;

  Dual() = default;
  Dual(double number) : value(number) {}
  Dual(double number, double derivative) : value(number), slope(derivative) {}

  friend Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
  friend Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
  friend Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend Dual operator/(Dual a, Dual b) {
    return {a.value / b.value, (a.slope - a.value / b.value * b.slope) / b.value};
  }
  Dual& operator+=(Dual other) { return *this = *this + other; }
  friend bool operator<(Dual a, Dual b) { return a.value < b.value; }
  friend bool operator==(Dual a, Dual b) { return a.value == b.value; }

  friend Dual abs(Dual a) { return a.value < 0 ? Dual(-a.value, -a.slope) : a; }
  friend Dual exp(Dual a) { return {std::exp(a.value), std::exp(a.value) * a.slope}; }
  friend Dual log(Dual a) { return {std::log(a.value), a.slope / a.value}; }
  friend Dual tanh(Dual a) {
    const double y = std::tanh(a.value);
    return {y, (1 - y * y) * a.slope};
  }
};

}  // namespace strata::test

template <>
struct Eigen::NumTraits<strata::test::Dual> : Eigen::NumTraits<double> {
  using Real = strata::test::Dual;
  using NonInteger = strata::test::Dual;
  using Nested = strata::test::Dual;
  enum { IsComplex = 0, IsInteger = 0, IsSigned = 1, RequireInitialization = 1 };
};
