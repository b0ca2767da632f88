#pragma once

#include <array>

#include <strata/kernels/tanh.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A number, or a register of numbers, with its derivatives by Count variables: forward-mode
/// automatic differentiation of equations that are written for any V.
template <class V, int Count>
struct Dual {
  using value_type = typename V::value_type;
  static constexpr int width = V::width;

  V value;
  std::array<V, std::size_t(Count)> slopes;

  static Dual broadcast(value_type number) {
    Dual dual{V::broadcast(number), {}};
    dual.slopes.fill(V::broadcast(0));
    return dual;
  }
  /// Variable number `which`: its derivative by itself is 1.
  static Dual variable(const V& value, int which) {
    Dual dual = broadcast(0);
    dual.value = value;
    dual.slopes[std::size_t(which)] = V::broadcast(1);
    return dual;
  }

  /// f(a), where `value` is the value of f at a and `slope` its derivative.
  static Dual chain(const V& value, const V& slope, const Dual& a) {
    Dual dual{value, {}};
    for (std::size_t i = 0; i < a.slopes.size(); ++i) dual.slopes[i] = slope * a.slopes[i];
    return dual;
  }

  friend Dual operator+(const Dual& a, const Dual& b) {
    Dual dual{a.value + b.value, {}};
    for (std::size_t i = 0; i < a.slopes.size(); ++i) dual.slopes[i] = a.slopes[i] + b.slopes[i];
    return dual;
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    Dual dual{a.value - b.value, {}};
    for (std::size_t i = 0; i < a.slopes.size(); ++i) dual.slopes[i] = a.slopes[i] - b.slopes[i];
    return dual;
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    Dual dual{a.value * b.value, {}};
    for (std::size_t i = 0; i < a.slopes.size(); ++i) {
      dual.slopes[i] = multiply_add(a.slopes[i], b.value, a.value * b.slopes[i]);
    }
    return dual;
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const V one = V::broadcast(1);
    const V quotient = a.value / b.value;
    return chain(quotient, one / b.value, a) +
           chain(V::broadcast(0), V::broadcast(0) - quotient / b.value, b);
  }
  friend Dual multiply_add(const Dual& a, const Dual& b, const Dual& c) { return a * b + c; }

  friend Dual where_less(const Dual& a, const Dual& b, const Dual& yes, const Dual& no) {
    Dual dual{where_less(a.value, b.value, yes.value, no.value), {}};
    for (std::size_t i = 0; i < a.slopes.size(); ++i) {
      dual.slopes[i] = where_less(a.value, b.value, yes.slopes[i], no.slopes[i]);
    }
    return dual;
  }
  friend Dual lesser(const Dual& a, const Dual& b) { return where_less(b, a, b, a); }
  friend Dual greater(const Dual& a, const Dual& b) { return where_less(a, b, b, a); }
  friend Dual abs(const Dual& a) { return where_less(a, broadcast(0), broadcast(0) - a, a); }
  friend Dual exp(const Dual& a) {
    const V y = exp(a.value);
    return chain(y, y, a);
  }
  friend Dual log(const Dual& a) { return chain(log(a.value), V::broadcast(1) / a.value, a); }
  friend Dual sqrt(const Dual& a) {
    const V y = sqrt(a.value);
    return chain(y, V::broadcast(value_type(0.5)) / y, a);
  }
  friend Dual tanh(const Dual& a) {
    const V y = tanh(a.value);
    return chain(y, V::broadcast(1) - y * y, a);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
