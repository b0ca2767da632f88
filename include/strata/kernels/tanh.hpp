#pragma once

#include <algorithm>

#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A number that is not divided yet, so that several divisions can become one.
template <class V>
struct Quotient {
  V over;
  V under;
};

/// a + b x + c x^2 + d x^3 + e x^4, where x2 = x^2. Its two halves do not wait for each other.
template <class V>
STRATA_ALWAYS_INLINE V polynomial(V x, V x2, double a, double b, double c, double d, double e) {
  const V low = multiply_add(x, constant<V>(b), constant<V>(a));
  const V high = multiply_add(x, constant<V>(d), constant<V>(c));
  return multiply_add(x2, multiply_add(x2, constant<V>(e), high), low);
}

/// x^2 + 1e-13. The summand is too small to change a polynomial of x^2, and large enough that no
/// intermediate result of the polynomial is a denormal number, even at x = 0.
template <class V>
STRATA_ALWAYS_INLINE V squared(V x) {
  return multiply_add(x, x, constant<V>(1e-13));
}

/// tanh(x) in float: x P(x^2) / Q(x^2), both of degree 4, the minimax fit for |x| <= 8, where tanh
/// is 1 - 2.3e-7. Error below 3e-7. The denominator is in [1, 242].
template <class V>
STRATA_ALWAYS_INLINE Quotient<V> tanh_quotient(V x) {
  x = greater(lesser(x, constant<V>(8)), constant<V>(-8));
  const V u = squared(x);
  const V u2 = u * u;
  return {x * polynomial(u, u2, 1, 0.134444952, 0.0035715946, 2.18946025e-05, 1.52303326e-08),
          polynomial(u, u2, 1, 0.467778236, 0.0261644293, 0.000341128616, 8.52241271e-07)};
}

/// sigmoid(x) = (1 + tanh(x / 2)) / 2 in float, by the same fit. Error below 2e-7.
template <class V>
STRATA_ALWAYS_INLINE Quotient<V> sigmoid_quotient(V x) {
  x = greater(lesser(x, constant<V>(16)), constant<V>(-16));
  const V u = squared(x);
  const V u2 = u * u;
  const V under = polynomial(u, u2, 1, 0.116944559, 0.00163527683, 5.33013463e-06, 3.32906747e-09);
  const V odd =
      polynomial(u, u2, 0.25, 0.0084028095, 5.58061656e-05, 8.55257909e-08, 1.48733716e-11);
  return {multiply_add(x, odd, constant<V>(0.5) * under), under};
}

/// Whether V has tanh_quotient and sigmoid_quotient. Only registers of float have them.
template <class V>
inline constexpr bool has_quotients = false;
template <int Width>
inline constexpr bool has_quotients<Pack<float, Width>> = true;

/// Exactly 1 or -1 where |x| is 8 or more, so that the derivative 1 - y^2, taken from the value y,
/// is exactly 0 there.
template <int Width>
STRATA_ALWAYS_INLINE Pack<float, Width> tanh(Pack<float, Width> x) {
  using P = Pack<float, Width>;
  const auto quotient = tanh_quotient(x);
  const P saturated = greater(lesser(x, P::broadcast(1)), P::broadcast(-1));
  return where_less(abs(x), P::broadcast(8), quotient.over / quotient.under, saturated);
}

/// Absolute error below 2e-15 (Eigen 5).
template <class Scalar, int Width>
STRATA_ALWAYS_INLINE Pack<Scalar, Width> tanh(Pack<Scalar, Width> x) {
  using P = Pack<Scalar, Width>;
  if constexpr (packet::packet_traits<Scalar>::HasTanh || Width == 1) {
    return eigen_tanh(x);
  } else {
    const P one = P::broadcast(1);
    const P bounded = greater(lesser(x, P::broadcast(20)), P::broadcast(-20));
    const P decay = exp(P::broadcast(-2) * bounded);
    // 1 - decay loses the digits of a small x, but a small x is its own tanh.
    return where_less(abs(x), P::broadcast(1e-8), x, (one - decay) / (one + decay));
  }
}

template <class V>
[[nodiscard]] STRATA_ALWAYS_INLINE V sigmoid(const V& z) {
  const V half = constant<V>(0.5);
  return multiply_add(half, tanh(half * z), half);
}

}  // namespace strata::detail::inline STRATA_TARGET
