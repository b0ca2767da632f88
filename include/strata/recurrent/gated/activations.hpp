#pragma once

#include <string>

#include <strata/activation.hpp>
#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/kernels/tanh.hpp>
#include <strata/language/compiler.hpp>
#include <strata/target.hpp>

// The three activations of a gated cell: sigma of its gates, phi of the candidate for its memory,
// and psi of the memory on its way out. In nearly all cells psi is phi. The derivatives are
// functions of the activation's value y, not of its argument.

namespace strata::detail::inline STRATA_TARGET {

/// tanh and sigmoid, the activations of nearly every gate.
struct StandardActivations {
  static constexpr bool standard = true;

  template <class V>
  static STRATA_ALWAYS_INLINE V sigma(const V& z) {
    return sigmoid(z);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V phi(const V& z) {
    return tanh(z);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V psi(const V& z) {
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
  template <class V>
  static STRATA_ALWAYS_INLINE V psi_derivative(const V& y) {
    return constant<V>(1) - y * y;
  }
};

/// Any other activations, chosen at run time. They are rare, so each is a call: the code is small
/// rather than fast.
struct ChosenActivations {
  static constexpr bool standard = false;

  Activation activation;
  Activation recurrent_activation;
  Activation output_activation;

  template <class V>
  V sigma(const V& z) const {
    return activate_chosen(recurrent_activation, z);
  }
  template <class V>
  V phi(const V& z) const {
    return activate_chosen(activation, z);
  }
  template <class V>
  V psi(const V& z) const {
    return activate_chosen(output_activation, z);
  }
  template <class V>
  V sigma_derivative(const V& y) const {
    return derivative_chosen(recurrent_activation, y);
  }
  template <class V>
  V phi_derivative(const V& y) const {
    return derivative_chosen(activation, y);
  }
  template <class V>
  V psi_derivative(const V& y) const {
    return derivative_chosen(output_activation, y);
  }

 private:
  template <class V>
  STRATA_NEVER_INLINE static V activate_chosen(Activation which, const V& z) {
    return activate(which, z);
  }
  template <class V>
  STRATA_NEVER_INLINE static V derivative_chosen(Activation which, const V& y) {
    return derivative(which, y);
  }
};

/// Limits values to [-limit, limit]. A limit of 0 changes nothing.
struct ClipValue {
  double limit = 0;

  template <class V>
  [[nodiscard]] V operator()(const V& x) const {
    if (limit <= 0) return x;
    return lesser(greater(x, constant<V>(-limit)), constant<V>(limit));
  }
};

/// Throws ValueError on softmax, which is not a function of one number, and on activations whose
/// derivative needs their input, which the tape of a gate does not keep.
inline void check_gate_activations(const char* layer, Activation activation,
                                   Activation recurrent_activation) {
  for (const Activation one : {activation, recurrent_activation}) {
    if (one == Activation::softmax || needs_input(one)) {
      fail<ValueError>(
          {layer, ": ", std::string(name(one)), " cannot be the activation of a gate"});
    }
  }
}

/// Throws ValueError on a clip that is below 0 or NaN.
inline void check_clip(const char* layer, double clip) {
  if (is_nan(clip) || clip < 0)
    fail<ValueError>({layer, ": a clip must be at least 0, found ", clip});
}

/// Calls f with sigma = recurrent_activation and phi = psi = activation.
template <class F>
STRATA_ALWAYS_INLINE void with_activations(Activation activation, Activation recurrent_activation,
                                           F&& f) {
  if (activation == Activation::tanh && recurrent_activation == Activation::sigmoid) {
    f(StandardActivations{});
  } else {
    f(ChosenActivations{activation, recurrent_activation, activation});
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
