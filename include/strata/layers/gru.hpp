#pragma once

#include <array>

#include <strata/contracts/held.hpp>
#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/gru_options.hpp>
#include <strata/recurrent/option_layer.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The gates z (update), r (reset) and n (candidate) of a GRU whose reset comes after the recurrent
/// product. The parts of n from x and from h therefore stay apart, in s.z[2] and s.z[3]:
/// n = phi(n_x + r n_h), h' = z h + (1 - z) n.
template <class Activations>
struct GRUEquations {
  Activations act;

  template <class V>
  STRATA_ALWAYS_INLINE V operator()(GateStep<V, 4, 0, 0>& s) const {
    const V z = act.sigma(s.z[0]);
    const V r = act.sigma(s.z[1]);
    const V n = act.phi(multiply_add(r, s.z[3], s.z[2]));
    s.z = {z, r, n, s.z[3]};
    return multiply_add(z, s.h - n, n);
  }

  template <class V>
  STRATA_ALWAYS_INLINE void backward(const GateStep<V, 4, 0, 0>& s, const V& dh,
                                     GateStep<V, 4, 0, 0>& d) const {
    const auto& [z, r, n, n_h] = s.z;
    const V dn = dh * (constant<V>(1) - z) * act.phi_derivative(n);
    d.z[0] = dh * (s.h - n) * act.sigma_derivative(z);
    d.z[1] = dn * n_h * act.sigma_derivative(r);
    d.z[2] = dn;
    d.z[3] = dn * r;
    d.h = dh * z;
  }
};

/// The same equations with a limit of what goes into every activation.
struct ClippedGRUEquations {
  ChosenActivations act;
  ClipValue clip;

  template <class V>
  V operator()(GateStep<V, 4, 0, 0>& s) const {
    const V z = act.sigma(clip(s.z[0]));
    const V r = act.sigma(clip(s.z[1]));
    const V n = act.phi(clip(s.z[2] + r * s.z[3]));
    return n + z * (s.h - n);
  }
};

/// The gates of a GRU with the activations and the limit of its options.
struct GRUGates {
  static constexpr const char* kind = "GRU";
  static constexpr GateLayout layout{
      .gates = 3, .biases = 2, .separate_gates = 1, .chooses_equations = true};

  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  ClipValue clip;

  template <class F>
  void with_equations(F f) const {
    if (clip.limit > 0) {
      return f(ClippedGRUEquations{{activation, recurrent_activation, activation}, clip});
    }
    with_activations(activation, recurrent_activation, [&](auto activations) {
      f(GRUEquations<decltype(activations)>{activations});
    });
  }
};

/// The cell of a GRU layer.
template <class Scalar, Index Inputs, Index Units>
class GRULayerCell : public GatedCell<GRUGates, Scalar, Inputs, Units> {
 public:
  GRULayerCell(Index units, const GRUOptions& options)
      : GatedCell<GRUGates, Scalar, Inputs, Units>(
            units, {options.activation, options.recurrent_activation, {options.activation_clip}},
            cell_options_of(options)) {
    check_gate_activations("GRU", options.activation, options.recurrent_activation);
    check_clip("GRU", options.activation_clip);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// A gated recurrent unit layer (Cho et al. 2014), in the form of Keras' reset_after, PyTorch's GRU
/// and ONNX' linear_before_reset; see ResetBeforeGRU for the other.
///
///   z = sigma(W_z x + U_z h + b_z), r = sigma(W_r x + U_r h + b_r),
///   n = phi(W_n x + b_n + r (U_n h + c_n)), h' = z h + (1 - z) n.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters: kernel (F, 3U), recurrent_kernel (U, 3U), bias (2, 3U), of which the second row is
/// of the recurrent product, c_n in it; gates z, r, n.
///
///   GRU{50}, GRU{50, return_sequences, {.dropout = 0.2}}, GRU<float, 1, 40, return_sequences>
///
/// Making it throws ValueError on units below 1 and on options out of range.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class GRU : public detail::OptionLayer<GRU<Scalar, Inputs, Units, ReturnsSequences>,
                                       detail::GRULayerCell<Scalar, Inputs, Units>, GRUOptions,
                                       ReturnsSequences> {
 public:
  using GRU::OptionLayer::OptionLayer;
};

GRU(Index, GRUOptions = {})->GRU<>;
GRU(Index, ReturnSequences, GRUOptions = {})->GRU<float, Dynamic, Dynamic, true>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar, bool Sequences>
struct Held<GRU<Scalar, Dynamic, Dynamic, Sequences>> : HeldRecurrent<HeldKind::gru, Sequences> {};

}  // namespace strata::detail
