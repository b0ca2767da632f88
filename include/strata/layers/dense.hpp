#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/activation_rows.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/kernel_and_bias.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a Dense layer, with the names and defaults of Keras.
///
///   Dense{10, {.activation = Activation::softmax, .use_bias = false}}
struct DenseOptions {
  /// Of the outputs. linear, as the last layer of a regression needs. Dense{10,
  /// Activation::softmax} sets the activation alone.
  Activation activation = Activation::linear;
  /// Whether b is added. Without it there is no parameter "bias".
  bool use_bias = true;
  /// Draws W. GlorotUniform keeps the variance from layer to layer, forward and back.
  Initializer kernel_initializer = GlorotUniform{};
  /// Draws b.
  Initializer bias_initializer = Zeros{};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("activation", self.activation);
    f("use_bias", self.use_bias);
    f("kernel_initializer", self.kernel_initializer);
    f("bias_initializer", self.bias_initializer);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// y = activation(x W + b), with W of (F, U) and b of (U). (B, F) to (B, U); a sequence (B, T, F)
/// to (B, T, U), each step by itself.
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic>
class Dense {
 public:
  using scalar_type = Scalar;
  static constexpr LayerTraits traits{.execution = true};
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = Inputs;
  static constexpr Index fixed_outputs = Units;

  /// Throws ValueError on units below 1.
  explicit Dense(Index units, DenseOptions options = {}) requires(Units == Dynamic)
      : Dense(options, units) {}

  Dense(Index units, Activation activation) requires(Units == Dynamic)
      : Dense(DenseOptions{.activation = activation}, units) {}

  Dense() requires(Units != Dynamic) : Dense(DenseOptions{}) {}

  explicit Dense(DenseOptions options) requires(Units != Dynamic) : Dense(options, Units) {}

  explicit Dense(Activation activation) requires(Units != Dynamic)
      : Dense(DenseOptions{.activation = activation}, Units) {}

  [[nodiscard]] std::string kind() const { return "Dense"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", units_, " units"});
  }

  [[nodiscard]] Index units() const noexcept { return units_; }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] const DenseOptions& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("units", units_).add_all(options_);
  }
  /// W transposed, U x F.
  [[nodiscard]] auto kernel() noexcept { return weights_.kernel.matrix(); }
  [[nodiscard]] auto kernel() const noexcept { return weights_.kernel.matrix(); }
  [[nodiscard]] auto bias() noexcept { return weights_.bias.matrix(); }
  [[nodiscard]] auto bias() const noexcept { return weights_.bias.matrix(); }

  [[nodiscard]] Index output_features(Index features) const {
    if (inputs_ != Dynamic && features != inputs_) {
      detail::fail<ShapeError>({"expects ", inputs_, " features, found ", features});
    }
    return units_;
  }

  [[nodiscard]] Execution execution(const Execution&) const {
    return {.bounded = is_bounded(options_.activation, false)};
  }

  void build(Index features) {
    weights_.resize(units_, features);
    inputs_ = features;
  }

  void initialize(const Random& random) { weights_.initialize(options_, inputs_, units_, random); }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    return weights_.parameters({inputs_, units_}, options_.use_bias);
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    return weights_.parameter_count(options_.use_bias);
  }

  struct Packed {
    detail::Linear<Scalar> linear;
    Activation activation;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept { rows(x, y, 1); }

    /// x: rows of F. y: rows of U.
    void rows(const Scalar* x, Scalar* y, Index count) const noexcept {
      products(x, y, count);
      if (activation == Activation::linear) return;
      detail::activate_rows(activation, count, Units == Dynamic ? linear.units() : Units, y, y);
    }

    /// z = x W + b.
    void products(const Scalar* x, Scalar* z, Index count) const noexcept {
      const Index inputs = Inputs == Dynamic ? linear.inputs() : Inputs;
      const Index units = Units == Dynamic ? linear.units() : Units;
      linear.template apply<Inputs, Units>(
          count, [&](Index row) { return x + row * inputs; },
          [&](Index row) { return z + row * units; });
    }
  };

  struct Tape {
    typename detail::Linear<Scalar>::Scratch scratch;
    /// x W + b, where the activation needs it.
    Tensor<Scalar> z;
  };

  void pack(Packed& packed, bool training) const {
    packed.activation = options_.activation;
    packed.linear.pack(inputs_, units_, weights_.kernel.values().data(),
                       weights_.bias.values().data(), training);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(output_of(x.shape()));
    packed.rows(x.data(), y.data(), x.batch() * x.steps());
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    if (!needs_input(options_.activation)) return forward(packed, x, y, pass);
    const Index rows = x.batch() * x.steps();
    tape.z.resize(output_of(x.shape()));
    packed.products(x.data(), tape.z.data(), rows);
    y.resize(tape.z.shape());
    detail::activate_rows(options_.activation, rows, units_, std::as_const(tape.z).data(),
                          y.data());
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    const Index rows = x.batch() * x.steps();
    Scalar* const dz = dy.data();
    if (options_.activation != Activation::linear) {
      detail::activation_gradient(options_.activation, rows, units_, std::as_const(tape.z).data(),
                                  y.data(), dz, dz);
    }

    const auto dz_row = [&](Index row) { return dz + row * units_; };
    packed.linear.add_gradients(
        rows, [&](Index row) { return x.data() + row * inputs_; }, dz_row, gradient.data(),
        weights_.bias_gradient(gradient.data(), options_.use_bias), tape.scratch);
    if (dx) {
      dx->resize(x.shape());
      Scalar* const to = dx->data();
      packed.linear.apply_transposed(rows, dz_row, [&](Index row) { return to + row * inputs_; });
    }
  }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] Dense<Other> to_dynamic() const {
    Dense<Other> layer(units_, options_);
    if (inputs_ == Dynamic) return layer;
    layer.build(inputs_);
    weights_.copy_to(layer.weights_);
    return layer;
  }

 private:
  template <class, Index, Index>
  friend class Dense;

  Dense(const DenseOptions& options, Index units) : units_(units), options_(options) {
    sizes::check("Dense", "units", units);
    if (inputs_ != Dynamic) build(inputs_);
  }

  [[nodiscard]] Shape output_of(Shape shape) const {
    shape[shape.rank() - 1] = units_;
    return shape;
  }

  Index units_;
  Index inputs_ = Inputs;
  DenseOptions options_;
  detail::KernelAndBias<Scalar, Units, Inputs> weights_;
};

Dense(Index, Activation)->Dense<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Dense<Scalar>> : HeldAs<HeldKind::dense> {};

}  // namespace strata::detail
