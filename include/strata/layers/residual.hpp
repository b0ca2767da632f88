#pragma once

#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/inner_layer.hpp>
#include <strata/error.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Adds its input to the output of a layer, y = x + layer(x), so that what the layer has to learn
/// is the difference (He et al. 2016; of stacked LSTMs Wu et al. 2016). The layer must return the
/// shape that it takes: (B, T, F) to (B, T, F), for some layers also (B, F) to (B, F).
///
///   Residual{LSTM{50, return_sequences}}
template <class L>
class Residual {
  static_assert(L::accepts == Accepts::any || L::accepts == Accepts::sequences,
                "strata: Residual adds the input to the output of a layer, so the layer must not "
                "change the rank of its input");
  static_assert(L::returns != Returns::last,
                "strata: Residual adds the input to the output of a layer, but this layer returns "
                "one output per sequence; construct it with return_sequences");
  static_assert(L::fixed_inputs == Dynamic || L::fixed_outputs == Dynamic ||
                    L::fixed_inputs == L::fixed_outputs,
                "strata: Residual adds the input to the output of a layer, so the layer must have "
                "as many outputs as inputs");

 public:
  using scalar_type = typename L::scalar_type;
  using Scalar = scalar_type;
  static constexpr Accepts accepts = L::accepts;
  static constexpr Returns returns = L::returns;
  static constexpr Index fixed_inputs = L::fixed_inputs;
  static constexpr Index fixed_outputs = L::fixed_outputs;
  static constexpr bool streams = detail::streams_of<L>();
  static constexpr bool mixes_sequences = detail::mixes_sequences_of<L>();

  explicit Residual(L layer) : layer_(std::move(layer)) {}
  Residual() requires(std::default_initializable<L>) : Residual(L()) {}

  [[nodiscard]] std::string kind() const { return "Residual"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), " ", layer_.describe()});
  }
  [[nodiscard]] const L& layer() const noexcept { return layer_; }
  [[nodiscard]] LayerDescription description() const {
    return {.kind = kind(), .layers = {detail::describe_layer(layer_)}};
  }

  [[nodiscard]] Index inputs() const noexcept { return layer_.inputs(); }
  [[nodiscard]] Index output_features(Index features) const {
    const Index outputs = layer_.output_features(features);
    check_sum(features == Dynamic || features == outputs, features, outputs);
    return outputs;
  }
  /// Throws ShapeError when the layer returns another shape than it takes.
  [[nodiscard]] Shape output_shape(const Shape& shape) const {
    const Shape output = strata::output_shape(layer_, shape);
    bool fits = output.rank() == shape.rank();
    for (Index axis = 0; fits && axis < shape.rank(); ++axis) {
      fits = output[axis] == shape[axis] || output[axis] == Dynamic || shape[axis] == Dynamic;
    }
    check_sum(fits, shape, output);
    return output;
  }
  [[nodiscard]] Mask output_mask(const Tensor<Scalar>& x, const Mask& mask) const {
    return strata::output_mask(layer_, x, mask);
  }
  [[nodiscard]] bool makes_mask() const requires requires(const L& layer) { layer.makes_mask(); }
  { return layer_.makes_mask(); }

  void build(Index features) { layer_.build(features); }
  void initialize(const Random& random) { layer_.initialize(random); }
  /// Those of the layer.
  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() { return layer_.parameters(); }
  [[nodiscard]] Index parameter_count() const { return strata::parameter_count(layer_); }

  struct Packed {
    typename L::Packed layer;
    Index features = 0;

    /// x and y must not be the same memory.
    void step(const Scalar* x, Scalar* state, Scalar* y) const noexcept {
      layer.step(x, state, y);
      for (Index i = 0; i < features; ++i) y[i] += x[i];
    }

    void skip(const Scalar* x, Scalar* state, Scalar* y) const noexcept {
      step_layer(layer, x, state, y, false, false);
      for (Index i = 0; i < features; ++i) y[i] += x[i];
    }
    [[nodiscard]] bool counts(const Scalar* x, bool before) const noexcept {
      return counts_behind(layer, x, before);
    }
  };

  /// y, dy: of the layer.
  struct Tape {
    typename L::Tape layer;
    Tensor<Scalar> y;
    Tensor<Scalar> dy;
  };

  void pack(Packed& packed, bool training) const {
    layer_.pack(packed.layer, training);
    packed.features = layer_.inputs();
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    layer_.forward(packed.layer, x, y, pass);
    detail::matrix_of(y) += detail::matrix_of(x);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    layer_.forward(packed.layer, x, tape.layer, tape.y, pass);
    y.resize(x.shape());
    detail::matrix_of(y) = detail::matrix_of(std::as_const(tape.y)) + detail::matrix_of(x);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    // The layer may overwrite the derivatives, which the sum still needs.
    tape.dy = std::as_const(dy);
    layer_.backward(packed.layer, x, tape.y, tape.dy, tape.layer, gradient, dx, pass);
    if (dx) detail::matrix_of(*dx) += detail::matrix_of(std::as_const(dy));
  }

  void absorb(Tape& tape) { detail::absorb(layer_, tape.layer); }

  void check_stream() const { layer_.check_stream(); }
  void check_masked_stream() const { strata::check_stream(layer_, true); }
  [[nodiscard]] Index state_size() const noexcept { return layer_.state_size(); }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const L& layer) { layer.template to_dynamic<Other>(); }
  [[nodiscard]] auto to_dynamic() const {
    using Inner = decltype(layer_.template to_dynamic<Other>());
    return Residual<Inner>(layer_.template to_dynamic<Other>());
  }

 private:
  void check_sum(bool fits, messages::Piece input, messages::Piece output) const {
    if (fits) return;
    detail::fail<ShapeError>({"adds its input, ", input, ", to the output of ", layer_.describe(),
                              ", ", output, "; the two must have the same shape"});
  }

  L layer_;
};

}  // namespace strata::inline STRATA_TARGET
