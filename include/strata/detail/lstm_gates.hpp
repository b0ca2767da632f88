#pragma once

#include <strata/activation.hpp>
#include <strata/detail/simd.hpp>

// The arithmetic of an LSTM's gates, a register of units at a time.

namespace strata::detail {

/// tanh and sigmoid, the activations of nearly every LSTM.
struct StandardGates {
  template <class V>
  static STRATA_ALWAYS_INLINE V sigma(const V& z) {
    const V half = constant<V>(0.5);
    return multiply_add(half, tanh(half * z), half);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V phi(const V& z) {
    return tanh(z);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V sigma_derivative(const V& y) {
    return y * (constant<V>(1) - y);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V phi_derivative(const V& y) {
    return constant<V>(1) - y * y;
  }
};

/// Any other pair of activations; rare, and so kept small rather than fast.
struct ChosenGates {
  Activation activation;
  Activation recurrent_activation;

  template <class V>
  V sigma(const V& z) const {
    return activate_chosen(recurrent_activation, z);
  }
  template <class V>
  V phi(const V& z) const {
    return activate_chosen(activation, z);
  }
  template <class V>
  V sigma_derivative(const V& y) const {
    return derivative_chosen(recurrent_activation, y);
  }
  template <class V>
  V phi_derivative(const V& y) const {
    return derivative_chosen(activation, y);
  }

 private:
  template <class V>
  [[gnu::noinline]] static V activate_chosen(Activation which, const V& z) {
    return activate(which, z);
  }
  template <class V>
  [[gnu::noinline]] static V derivative_chosen(Activation which, const V& y) {
    return derivative(which, y);
  }
};

template <class F>
void with_gates(Activation activation, Activation recurrent_activation, F&& f) {
  if (activation == Activation::tanh && recurrent_activation == Activation::sigmoid) {
    f(StandardGates{});
  } else {
    f(ChosenGates{activation, recurrent_activation});
  }
}

/// Pre-activations z of one panel and one sequence to c' and h'. The activations i, f, g, o replace
/// z where `keep` asks for them.
template <bool keep, class Scalar, class Gates>
STRATA_ALWAYS_INLINE void lstm_gates(const Gates& gates, Scalar* z, Pack<Scalar> c, Scalar* c_next,
                                     Scalar* h_next, Index used_c, Index used_h) {
  using P = Pack<Scalar>;
  const P i = gates.sigma(P::load(z));
  const P f = gates.sigma(P::load(z + P::width));
  const P g = gates.phi(P::load(z + 2 * P::width));
  const P o = gates.sigma(P::load(z + 3 * P::width));
  c = multiply_add(f, c, i * g);
  store_lanes(c, c_next, used_c);
  store_lanes(o * gates.phi(c), h_next, used_h);
  if constexpr (keep) {
    i.store(z);
    f.store(z + P::width);
    g.store(z + 2 * P::width);
    o.store(z + 3 * P::width);
  }
}

/// The gates i, f, g, o of one panel and one sequence, replaced by dz; dc by the dc of the step
/// before. `c` is the memory after this step, `c_previous` before it.
template <class Scalar, class Gates>
STRATA_ALWAYS_INLINE void lstm_gates_backward(const Gates& gates, Scalar* z, Pack<Scalar> c,
                                              Pack<Scalar> c_previous, Pack<Scalar> dh,
                                              Scalar* dc) {
  using P = Pack<Scalar>;
  const P i = P::load(z);
  const P f = P::load(z + P::width);
  const P g = P::load(z + 2 * P::width);
  const P o = P::load(z + 3 * P::width);
  const P y = gates.phi(c);
  const P d = multiply_add(dh * o, gates.phi_derivative(y), P::load(dc));
  (d * g * gates.sigma_derivative(i)).store(z);
  (d * c_previous * gates.sigma_derivative(f)).store(z + P::width);
  (d * i * gates.phi_derivative(g)).store(z + 2 * P::width);
  (dh * y * gates.sigma_derivative(o)).store(z + 3 * P::width);
  (d * f).store(dc);
}

}  // namespace strata::detail
