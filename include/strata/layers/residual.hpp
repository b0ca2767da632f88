#pragma once

#include <span>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/contracts/wrapper_layer.hpp>
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
class Residual : public detail::WrapperLayer<Residual, L> {
  using Base = detail::WrapperLayer<Residual, L>;
  using Base::layer_;
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
  using typename Base::Scalar;
  static constexpr const char* name = "Residual";
  static constexpr Accepts accepts = L::accepts;
  static constexpr Returns returns = L::returns;
  static constexpr LayerTraits traits{.streams = L::traits.streams,
                                      .absorb = true,
                                      .mixes_sequences = detail::mixes_sequences_of<L>(),
                                      .output_shape = true,
                                      .output_mask = true,
                                      .makes_mask = L::traits.makes_mask,
                                      .skip = true,
                                      .check_masked_stream = true,
                                      .list_state = true,
                                      .execution = true,
                                      .reduce = true};

  using Base::Base;

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
  [[nodiscard]] bool makes_mask() const requires(L::traits.makes_mask) {
    return layer_.makes_mask();
  }

  struct Packed {
    detail::InnerPacked<L> layer;
    Index features = 0;

    /// x and y must not be the same memory.
    void step(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
      layer.step(x, state, y, order);
      for (Index i = 0; i < features; ++i) y[i] += x[i];
    }

    void skip(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
      skip_layer(layer, x, state, y, order);
      for (Index i = 0; i < features; ++i) y[i] += x[i];
    }
    [[nodiscard]] bool counts(const Scalar* x, bool before) const noexcept {
      return counts_behind(layer, x, before);
    }
  };

  struct Tape {
    detail::InnerTape<L> layer;
    Tensor<Scalar> y;   ///< Of the layer, without the input.
    Tensor<Scalar> dy;  ///< A copy for the layer, which may overwrite it.
  };

  /// That of the layer; a sum is not bounded.
  [[nodiscard]] Execution execution(const Execution& asked) const {
    return {.precision = strata::execution(layer_, asked).precision};
  }
  void reduce(Packed& packed, const Execution& asked) const {
    detail::reduce(layer_, packed.layer, asked);
  }

  void pack(Packed& packed, bool training) const {
    detail::inner(layer_).pack(packed.layer, training);
    packed.features = layer_.inputs();
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    detail::inner(layer_).forward(packed.layer, x, y, pass);
    detail::matrix_of(y) += detail::matrix_of(x);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    detail::inner(layer_).forward(packed.layer, x, tape.layer, tape.y, pass);
    y.resize(x.shape());
    detail::matrix_of(y) = detail::matrix_of(std::as_const(tape.y)) + detail::matrix_of(x);
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    // The layer may overwrite the derivatives, which the sum still needs.
    tape.dy = std::as_const(dy);
    detail::inner(layer_).backward(packed.layer, x, tape.y, tape.dy, tape.layer, gradient, dx,
                                   pass);
    if (dx) detail::matrix_of(*dx) += detail::matrix_of(std::as_const(dy));
  }

  void check_masked_stream() const { strata::check_stream(layer_, true); }

 private:
  void check_sum(bool fits, messages::Piece input, messages::Piece output) const {
    if (fits) return;
    detail::fail<ShapeError>({"adds its input, ", input, ", to the output of ", layer_.describe(),
                              ", ", output, "; the two must have the same shape"});
  }
};

template <class L>
Residual(L) -> Residual<L>;

}  // namespace strata::inline STRATA_TARGET
