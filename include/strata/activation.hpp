#pragma once

#include <cmath>
#include <string_view>

#include <strata/error.hpp>
#include <strata/kernels/tanh.hpp>
#include <strata/target.hpp>

namespace strata {

/// Keras' activation functions. softmax works on all units of a layer together, and only Dense
/// takes it.
enum class Activation {
  linear,
  relu,
  sigmoid,
  tanh,
  hard_sigmoid,
  softsign,
  softplus,
  elu,
  exponential,
  softmax
};

/// Keras' name of an activation, such as "hard_sigmoid".
[[nodiscard]] constexpr std::string_view name(Activation activation) noexcept {
  switch (activation) {
    case Activation::linear:
      return "linear";
    case Activation::relu:
      return "relu";
    case Activation::sigmoid:
      return "sigmoid";
    case Activation::tanh:
      return "tanh";
    case Activation::hard_sigmoid:
      return "hard_sigmoid";
    case Activation::softsign:
      return "softsign";
    case Activation::softplus:
      return "softplus";
    case Activation::elu:
      return "elu";
    case Activation::exponential:
      return "exponential";
    case Activation::softmax:
      return "softmax";
  }
  return "unknown";
}

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// y = activation(x), number by number. V is a float, a double, a register of either, or any scalar
/// with exp, log and tanh, such as a dual number. softmax is not a function of one number and
/// returns x here; layers that cannot compute it refuse it.
template <class V>
[[nodiscard]] STRATA_ALWAYS_INLINE V activate(Activation activation, const V& x) {
  using detail::constant;
  using detail::where_less;
  using std::abs, std::exp, std::log, std::tanh;
  const V zero = constant<V>(0);
  const V one = constant<V>(1);
  switch (activation) {
    case Activation::relu:
      return where_less(x, zero, zero, x);
    case Activation::sigmoid:
      return one / (one + exp(zero - x));
    case Activation::tanh:
      return tanh(x);
    case Activation::hard_sigmoid: {
      const V line = x / constant<V>(6) + constant<V>(0.5);
      return where_less(line, zero, zero, where_less(one, line, one, line));
    }
    case Activation::softsign:
      return x / (one + abs(x));
    case Activation::softplus:
      return where_less(zero, x, x, zero) + log(one + exp(zero - abs(x)));
    case Activation::elu:
      return where_less(zero, x, x, exp(where_less(zero, x, zero, x)) - one);
    case Activation::exponential:
      return exp(x);
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return x;
}

/// dy/dx as a function of y = activation(x), since training keeps y and not x. 1 for softmax.
template <class V>
[[nodiscard]] STRATA_ALWAYS_INLINE V derivative(Activation activation, const V& y) {
  using detail::constant;
  using detail::where_less;
  using std::abs, std::exp;
  const V zero = constant<V>(0);
  const V one = constant<V>(1);
  switch (activation) {
    case Activation::relu:
      return where_less(zero, y, one, zero);
    case Activation::sigmoid:
      return y * (one - y);
    case Activation::tanh:
      return one - y * y;
    case Activation::hard_sigmoid: {
      const V slope = where_less(y, one, constant<V>(1.0 / 6), zero);
      return where_less(zero, y, slope, zero);
    }
    case Activation::softsign:
      return (one - abs(y)) * (one - abs(y));
    case Activation::softplus:
      return one - exp(zero - y);
    case Activation::elu:
      return where_less(zero, y, one, y + one);
    case Activation::exponential:
      return y;
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return one;
}

}  // namespace strata::inline STRATA_TARGET
