#pragma once

#include <array>

#include <strata/recurrent/gated/activations.hpp>
#include <strata/recurrent/gated/gated_cell.hpp>
#include <strata/recurrent/gru_options.hpp>
#include <strata/recurrent/recurrent_layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

/// The gates z (update), r (reset) and n (candidate) of a GRU whose reset comes after the recurrent
/// product, so that x's and h's parts of n stay apart: n = phi(n_x + r n_h), h' = z h + (1 - z) n.
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

/// The same with a limit of what goes into every activation.
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

}  // namespace detail

/// A gated recurrent unit layer (Cho et al. 2014), in the form of Keras' reset_after, PyTorch's GRU
/// and ONNX' linear_before_reset; see ResetBeforeGRU for the other.
///
///   z = sigma(W_z x + U_z h + b_z), r = sigma(W_r x + U_r h + b_r),
///   n = phi(W_n x + b_n + r (U_n h + c_n)), h' = z h + (1 - z) n.
///
/// (B, T, F) to (B, T, U) with return_sequences, to (B, U), the last step's output, without.
/// Parameters: kernel (F, 3U), recurrent kernel (U, 3U), bias (2, 3U), gates z, r, n.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic,
          bool ReturnsSequences = false>
class GRU : public detail::RecurrentLayer<GatedCell<detail::GRUGates, Scalar, Inputs, Units>> {
  using Cell = GatedCell<detail::GRUGates, Scalar, Inputs, Units>;
  using Base = detail::RecurrentLayer<Cell>;

 public:
  static constexpr Returns returns = ReturnsSequences ? Returns::sequence : Returns::last;

  /// Throws ValueError on units below 1 and on options out of range.
  explicit GRU(Index units, GRUOptions options = {}) requires(Units == Dynamic)
      : GRU(options, units) {}
  GRU(Index units, ReturnSequences, GRUOptions options = {})
  requires(Units == Dynamic && ReturnsSequences) : GRU(options, units) {}
  GRU() requires(Units != Dynamic) : GRU(GRUOptions{}) {}
  explicit GRU(GRUOptions options) requires(Units != Dynamic) : GRU(options, Units) {}

  [[nodiscard]] const GRUOptions& options() const noexcept { return options_; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] GRU<Other, Dynamic, Dynamic, ReturnsSequences> to_dynamic() const {
    GRU<Other, Dynamic, Dynamic, ReturnsSequences> layer(this->units(), options_);
    this->copy_weights_to(layer);
    return layer;
  }

 private:
  GRU(const GRUOptions& options, Index units)
      : Base(Cell(units,
                  {options.activation, options.recurrent_activation, {options.activation_clip}},
                  detail::cell_options_of(options)),
             detail::recurrent_options_of(options), ReturnsSequences),
        options_(options) {
    detail::check_gate_activations("GRU", options.activation, options.recurrent_activation);
    detail::check_clip("GRU", options.activation_clip);
  }

  GRUOptions options_;
};

GRU(Index, ReturnSequences, GRUOptions = {})->GRU<float, Dynamic, Dynamic, true>;

}  // namespace strata::inline STRATA_TARGET
