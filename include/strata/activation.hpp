#pragma once

#include <cmath>
#include <string_view>

#include <strata/error.hpp>
#include <strata/kernels/tanh.hpp>
#include <strata/target.hpp>

namespace strata {

/// Keras' activation functions. softmax works on all units of a layer together; it and the
/// activations that need their input for a derivative (`needs_input`) are for Dense, Conv1D and
/// Activate, not for gates.
enum class Activation {
  linear,
  relu,
  sigmoid,
  tanh,
  hard_sigmoid,  ///< max(0, min(1, x / 6 + 1 / 2)), of Keras from version 3, and of PyTorch.
  softsign,
  softplus,
  elu,
  exponential,
  relu6,               ///< max(0, min(6, x)).
  leaky_relu,          ///< x, and 0.2 x below zero; ReLU has other slopes.
  hard_sigmoid_fifth,  ///< max(0, min(1, x / 5 + 1 / 2)): Keras before version 3, and ONNX.
  selu,                ///< Klambauer et al. 2017.
  silu,                ///< x sigmoid(x), also called swish.
  gelu,       ///< x times the normal distribution's share below x (Hendrycks & Gimpel 2016).
  gelu_tanh,  ///< gelu with the distribution as 1/2 + 1/2 tanh(sqrt(2/pi) (x + 0.044715 x^3)).
  mish,       ///< x tanh(softplus(x)) (Misra 2019).
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
    case Activation::relu6:
      return "relu6";
    case Activation::leaky_relu:
      return "leaky_relu";
    case Activation::hard_sigmoid_fifth:
      return "hard_sigmoid_fifth";
    case Activation::selu:
      return "selu";
    case Activation::silu:
      return "silu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_tanh";
    case Activation::mish:
      return "mish";
    case Activation::softmax:
      return "softmax";
  }
  return "unknown";
}

/// Whether the derivative of an activation cannot be told from its value, since the activation
/// falls before it rises.
[[nodiscard]] constexpr bool needs_input(Activation activation) noexcept {
  return activation == Activation::silu || activation == Activation::gelu ||
         activation == Activation::gelu_tanh || activation == Activation::mish;
}

/// Whether all values of an activation lie between -1 and 1; `argument`: whether its arguments do.
[[nodiscard]] constexpr bool is_bounded(Activation activation, bool argument) noexcept {
  switch (activation) {
    case Activation::sigmoid:
    case Activation::tanh:
    case Activation::hard_sigmoid:
    case Activation::hard_sigmoid_fifth:
    case Activation::softsign:
    case Activation::softmax:
      return true;
    case Activation::linear:
    case Activation::relu:
    case Activation::relu6:
    case Activation::leaky_relu:
    case Activation::elu:
    case Activation::silu:
    case Activation::gelu:
    case Activation::gelu_tanh:
    case Activation::mish:
      return argument;
    default:
      return false;
  }
}

namespace detail {

inline constexpr double leaky_slope = 0.2;
inline constexpr double selu_scale = 1.0507009873554804934;
inline constexpr double selu_alpha = 1.6732632423543772848;

}  // namespace detail

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// y = activation(x), number by number, of an activation that a gate may have. V is a float, a
/// double, a register of either, or any scalar with exp, log and tanh, such as a dual number.
/// softmax is not a function of one number, and the activations that need their input have a
/// function of their own (`activation_rows.hpp`): they return x here, and layers that
/// cannot compute them refuse them.
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
    case Activation::relu6: {
      const V six = constant<V>(6);
      return where_less(x, zero, zero, where_less(six, x, six, x));
    }
    case Activation::leaky_relu:
      return where_less(x, zero, x * constant<V>(detail::leaky_slope), x);
    case Activation::hard_sigmoid_fifth: {
      const V line = x * constant<V>(0.2) + constant<V>(0.5);
      return where_less(line, zero, zero, where_less(one, line, one, line));
    }
    case Activation::selu: {
      const V below = constant<V>(detail::selu_alpha) * (exp(where_less(zero, x, zero, x)) - one);
      return constant<V>(detail::selu_scale) * where_less(zero, x, x, below);
    }
    default:
      break;
  }
  return x;
}

/// dy/dx as a function of y = activation(x), since training keeps y and not x. 1 for softmax and
/// where `needs_input`.
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
    case Activation::relu6: {
      const V slope = where_less(y, constant<V>(6), one, zero);
      return where_less(zero, y, slope, zero);
    }
    case Activation::leaky_relu:
      return where_less(zero, y, one, constant<V>(detail::leaky_slope));
    case Activation::hard_sigmoid_fifth: {
      const V slope = where_less(y, one, constant<V>(0.2), zero);
      return where_less(zero, y, slope, zero);
    }
    case Activation::selu: {
      const V scale = constant<V>(detail::selu_scale);
      return where_less(zero, y, scale, y + scale * constant<V>(detail::selu_alpha));
    }
    default:
      break;
  }
  return one;
}

}  // namespace strata::inline STRATA_TARGET
