#pragma once

#include <array>

#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gates.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The settings of an extended LSTM: its activations, whether it has peepholes, and its clips.
struct ExtendedSettings {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  Activation output_activation = Activation::tanh;
  bool peepholes = true;
  ClipValue cell_clip;
  ClipValue activation_clip;

  [[nodiscard]] bool clips() const noexcept {
    return cell_clip.limit > 0 || activation_clip.limit > 0;
  }

  /// Calls f with the three activations, for equations that clip nothing.
  template <class F>
  void with_all_activations(F f) const {
    if (output_activation == activation) {
      with_activations(activation, recurrent_activation, f);
    } else {
      f(ChosenActivations{activation, recurrent_activation, output_activation});
    }
  }
};

/// An LSTM whose gates read the memory through peepholes: i and f the memory before the step, o the
/// memory after it (Gers & Schmidhuber 2000; Graves 2013, equations 7 to 11).
template <class Activations>
struct PeepholeEquations {
  Activations act;

  template <class V>
  STRATA_ALWAYS_INLINE V operator()(GateStep<V, 4, 1, 3>& s) const {
    const auto& [p_i, p_f, p_o] = s.peephole;
    const V c_before = s.memory[0];
    const V i = act.sigma(multiply_add(p_i, c_before, s.z[0]));
    const V f = act.sigma(multiply_add(p_f, c_before, s.z[1]));
    const V g = act.phi(s.z[2]);
    const V c = multiply_add(f, c_before, i * g);
    const V o = act.sigma(multiply_add(p_o, c, s.z[3]));
    s.memory[0] = c;
    s.z = {i, f, g, o};
    return o * act.psi(c);
  }

  template <class V>
  STRATA_ALWAYS_INLINE void backward(const GateStep<V, 4, 1, 3>& s, const V& dh,
                                     GateStep<V, 4, 1, 3>& d) const {
    const auto& [i, f, g, o] = s.z;
    const auto& [p_i, p_f, p_o] = s.peephole;
    const V& c_before = s.memory[0];
    const V c = multiply_add(f, c_before, i * g);
    const V y = act.psi(c);
    d.z[3] = dh * y * act.sigma_derivative(o);
    const V dc =
        multiply_add(d.z[3], p_o, multiply_add(dh * o, act.psi_derivative(y), d.memory[0]));
    d.z[0] = dc * g * act.sigma_derivative(i);
    d.z[1] = dc * c_before * act.sigma_derivative(f);
    d.z[2] = dc * i * act.phi_derivative(g);
    d.memory[0] = multiply_add(d.z[0], p_i, multiply_add(d.z[1], p_f, dc * f));
    d.peephole = {d.z[0] * c_before, d.z[1] * c_before, d.z[3] * c};
  }
};

/// PeepholeEquations with limits on the memory and on the argument of every activation. They have
/// no `backward`, so derivatives are taken automatically.
struct ClippedPeepholeEquations {
  ExtendedSettings settings;

  template <class V>
  V operator()(GateStep<V, 4, 1, 3>& s) const {
    const auto sigma = [&](const V& z) {
      return activate(settings.recurrent_activation, settings.activation_clip(z));
    };
    const auto phi = [&](const V& z) {
      return activate(settings.activation, settings.activation_clip(z));
    };
    const V c_before = s.memory[0];
    const V i = sigma(s.z[0] + s.peephole[0] * c_before);
    const V f = sigma(s.z[1] + s.peephole[1] * c_before);
    const V c = settings.cell_clip(f * c_before + i * phi(s.z[2]));
    const V o = sigma(s.z[3] + s.peephole[2] * c);
    s.memory[0] = c;
    return o * activate(settings.output_activation, settings.activation_clip(c));
  }
};

/// An LSTM with the gates i, g and o. The forget gate is coupled to the input gate, f = 1 - i, so
/// that the memory forgets as much as it takes in (Greff et al. 2017).
template <class Activations>
struct CoupledEquations {
  Activations act;

  template <class V>
  STRATA_ALWAYS_INLINE V operator()(GateStep<V, 3, 1, 2>& s) const {
    const auto& [p_i, p_o] = s.peephole;
    const V c_before = s.memory[0];
    const V i = act.sigma(multiply_add(p_i, c_before, s.z[0]));
    const V g = act.phi(s.z[1]);
    const V c = multiply_add(i, g - c_before, c_before);
    const V o = act.sigma(multiply_add(p_o, c, s.z[2]));
    s.memory[0] = c;
    s.z = {i, g, o};
    return o * act.psi(c);
  }

  template <class V>
  STRATA_ALWAYS_INLINE void backward(const GateStep<V, 3, 1, 2>& s, const V& dh,
                                     GateStep<V, 3, 1, 2>& d) const {
    const auto& [i, g, o] = s.z;
    const auto& [p_i, p_o] = s.peephole;
    const V& c_before = s.memory[0];
    const V c = multiply_add(i, g - c_before, c_before);
    const V y = act.psi(c);
    d.z[2] = dh * y * act.sigma_derivative(o);
    const V dc =
        multiply_add(d.z[2], p_o, multiply_add(dh * o, act.psi_derivative(y), d.memory[0]));
    d.z[0] = dc * (g - c_before) * act.sigma_derivative(i);
    d.z[1] = dc * i * act.phi_derivative(g);
    d.memory[0] = multiply_add(d.z[0], p_i, dc - dc * i);
    d.peephole = {d.z[0] * c_before, d.z[2] * c};
  }
};

/// CoupledEquations with the limits of ClippedPeepholeEquations.
struct ClippedCoupledEquations {
  ExtendedSettings settings;

  template <class V>
  V operator()(GateStep<V, 3, 1, 2>& s) const {
    const auto sigma = [&](const V& z) {
      return activate(settings.recurrent_activation, settings.activation_clip(z));
    };
    const auto phi = [&](const V& z) {
      return activate(settings.activation, settings.activation_clip(z));
    };
    const V c_before = s.memory[0];
    const V i = sigma(s.z[0] + s.peephole[0] * c_before);
    const V c = settings.cell_clip(c_before + i * (phi(s.z[1]) - c_before));
    const V o = sigma(s.z[2] + s.peephole[1] * c);
    s.memory[0] = c;
    return o * activate(settings.output_activation, settings.activation_clip(c));
  }
};

/// The gates i, f, g, o of an extended LSTM, with the equations that its settings ask for.
struct PeepholeGates : ExtendedSettings {
  static constexpr const char* kind = "ExtendedLSTM";
  static constexpr GateLayout layout{.gates = 4,
                                     .memories = 1,
                                     .reads_h = false,
                                     .peepholes = 3,
                                     .optional_peepholes = true,
                                     .chooses_equations = true};
  static constexpr std::array<const char*, 3> peephole_names{"peephole_input", "peephole_forget",
                                                             "peephole_output"};

  [[nodiscard]] bool has_peepholes() const noexcept { return peepholes; }

  template <class F>
  void with_equations(F f) const {
    if (clips()) return f(ClippedPeepholeEquations{*this});
    with_all_activations(
        [&](auto activations) { f(PeepholeEquations<decltype(activations)>{activations}); });
  }
};

/// The gates i, g, o of a coupled LSTM, with the equations that its settings ask for.
struct CoupledGates : ExtendedSettings {
  static constexpr const char* kind = "CoupledLSTM";
  static constexpr GateLayout layout{.gates = 3,
                                     .memories = 1,
                                     .reads_h = false,
                                     .peepholes = 2,
                                     .optional_peepholes = true,
                                     .chooses_equations = true};
  static constexpr std::array<const char*, 2> peephole_names{"peephole_input", "peephole_output"};

  [[nodiscard]] bool has_peepholes() const noexcept { return peepholes; }

  template <class F>
  void with_equations(F f) const {
    if (clips()) return f(ClippedCoupledEquations{*this});
    with_all_activations(
        [&](auto activations) { f(CoupledEquations<decltype(activations)>{activations}); });
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
