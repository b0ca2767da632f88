#pragma once

#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gates.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// One step of a unit of an LSTM, from the pre-activations z of its gates i, f, g, o:
///
///   i = sigma(z_i), f = sigma(z_f), g = phi(z_g), o = sigma(z_o), c' = f c + i g, h' = o psi(c').
template <class Activations>
struct LSTMEquations {
  Activations act;

  /// The same for prediction, which keeps no gates. Sigmoids and tanh stay quotients over / under
  /// until the end, so that there are two divisions instead of five.
  template <class V>
    requires(Activations::standard&& has_quotients<V>)
  STRATA_ALWAYS_INLINE V predict(GateStep<V, 4, 1, 0>& s)
  const {
    const auto i = sigmoid_quotient(s.z[0]);
    const auto f = sigmoid_quotient(s.z[1]);
    const auto g = tanh_quotient(s.z[2]);
    const auto o = sigmoid_quotient(s.z[3]);
    const V ig = i.under * g.under;
    V& c = s.memory[0];
    c = multiply_add(f.over * ig, c, i.over * g.over * f.under) / (f.under * ig);
    const auto y = tanh_quotient(c);
    return o.over * y.over / (o.under * y.under);
  }

  template <class V>
  STRATA_ALWAYS_INLINE V operator()(GateStep<V, 4, 1, 0>& s) const {
    const V i = act.sigma(s.z[0]);
    const V f = act.sigma(s.z[1]);
    const V g = act.phi(s.z[2]);
    const V o = act.sigma(s.z[3]);
    V& c = s.memory[0];
    c = multiply_add(f, c, i * g);
    s.z = {i, f, g, o};
    return o * act.psi(c);
  }

  template <class V>
  STRATA_ALWAYS_INLINE void backward(const GateStep<V, 4, 1, 0>& s, const V& dh,
                                     GateStep<V, 4, 1, 0>& d) const {
    const auto& [i, f, g, o] = s.z;
    const V& c_before = s.memory[0];
    const V y = act.psi(multiply_add(f, c_before, i * g));
    const V dc = multiply_add(dh * o, act.psi_derivative(y), d.memory[0]);
    d.z[0] = dc * g * act.sigma_derivative(i);
    d.z[1] = dc * c_before * act.sigma_derivative(f);
    d.z[2] = dc * i * act.phi_derivative(g);
    d.z[3] = dh * y * act.sigma_derivative(o);
    d.memory[0] = dc * f;
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
