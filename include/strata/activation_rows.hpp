#pragma once

#include <algorithm>
#include <cmath>

#include <strata/activation.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/kernels/softmax.hpp>
#include <strata/kernels/tanh.hpp>
#include <strata/language/compiler.hpp>
#include <strata/target.hpp>

// All activations over rows of numbers, for layers that can keep the input of their activation.

namespace strata::detail::inline STRATA_TARGET {

/// x times a rising weight, the form of every activation that `needs_input`: its value, and its
/// derivative by x.
template <class V>
struct WeightedInput {
  V value;
  V derivative;

  /// Of x, where `weight` and `slope` are the weight and its derivative.
  static STRATA_ALWAYS_INLINE WeightedInput of(V x, V weight, V slope) {
    return {x * weight, multiply_add(x, slope, weight)};
  }
};

/// An activation that `needs_input`.
template <class V>
[[nodiscard]] STRATA_ALWAYS_INLINE WeightedInput<V> weighted_input(Activation activation, V x) {
  using Weighted = WeightedInput<V>;
  const V zero = V::broadcast(0);
  const V one = constant<V>(1);
  const V half = constant<V>(0.5);
  const auto sigmoid_of = [&](V z) { return activate(Activation::sigmoid, z); };
  switch (activation) {
    case Activation::silu: {
      const V weight = sigmoid_of(x);
      return Weighted::of(x, weight, weight * (one - weight));
    }
    case Activation::gelu: {
      const V weight = half * (one + erf(x * constant<V>(0.70710678118654752440)));
      const V density = constant<V>(0.39894228040143267794) * exp(zero - half * x * x);
      return Weighted::of(x, weight, density);
    }
    case Activation::gelu_tanh: {
      const V root = constant<V>(0.79788456080286535588);
      const V cubic = constant<V>(0.044715);
      const V y = tanh(root * (x + cubic * x * x * x));
      const V inner = root * (one + constant<V>(3 * 0.044715) * x * x);
      return Weighted::of(x, half * (one + y), half * (one - y * y) * inner);
    }
    case Activation::mish: {
      const V weight = tanh(activate(Activation::softplus, x));
      return Weighted::of(x, weight, (one - weight * weight) * sigmoid_of(x));
    }
    default:
      return {x, one};
  }
}

/// y = activation(x) for `rows` rows of `features` numbers; softmax row by row. y may be x.
template <class Scalar>
STRATA_NEVER_INLINE void activate_rows(Activation activation, Index rows, Index features,
                                       const Scalar* x, Scalar* y) noexcept {
  using P = Pack<Scalar>;
  if (activation == Activation::softmax) {
    if (x != y) std::copy_n(x, rows * features, y);
    for (Index row = 0; row < rows; ++row) softmax(y + row * features, features);
  } else if (needs_input(activation)) {
    transform(
        rows * features, y, [&](P v) { return weighted_input(activation, v).value; }, x);
  } else {
    transform(
        rows * features, y, [&](P v) { return activate(activation, v); }, x);
  }
}

/// dx = dy times the derivative of the activation, where y = activation(x). x is read where
/// `needs_input` alone. dx may be dy.
template <class Scalar>
STRATA_NEVER_INLINE void activation_gradient(Activation activation, Index rows, Index features,
                                             const Scalar* x, const Scalar* y, const Scalar* dy,
                                             Scalar* dx) noexcept {
  using P = Pack<Scalar>;
  if (activation == Activation::softmax) {
    if (dy != dx) std::copy_n(dy, rows * features, dx);
    for (Index row = 0; row < rows; ++row) {
      softmax_backward(y + row * features, dx + row * features, features);
    }
  } else if (needs_input(activation)) {
    transform(
        rows * features, dx,
        [&](P v, P slope) { return weighted_input(activation, v).derivative * slope; }, x, dy);
  } else {
    transform(
        rows * features, dx, [&](P v, P slope) { return derivative(activation, v) * slope; }, y,
        dy);
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
