#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/buffer.hpp>
#include <strata/kernels/linear.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/kernels/softmax.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The mean of the steps of a sequence, weighted by how much each matters (Bahdanau et al. 2015;
/// Yang et al. 2016): (B, T, F) to (B, F).
///
///   score_t = context . tanh(x_t W + b), y = sum over t of softmax(score)_t x_t,
///
/// over the steps t that count. y is zeros where no step counts. Parameters: kernel (F, A), which
/// is W; bias (A); context (A). It cannot stream.
///
///   AttentionPooling{32}
template <class Scalar = float, Index Inputs = Dynamic, Index Units = Dynamic>
class AttentionPooling {
 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::sequences;
  static constexpr Returns returns = Returns::last;
  static constexpr Index fixed_inputs = Inputs;
  static constexpr Index fixed_outputs = Inputs;
  static constexpr LayerTraits traits{.streams = false};

  /// units: A. Throws ValueError when they are below 1.
  explicit AttentionPooling(Index units) requires(Units == Dynamic)
      : AttentionPooling(units, true) {}
  AttentionPooling() requires(Units != Dynamic) : AttentionPooling(Units, true) {}

  [[nodiscard]] std::string kind() const { return "AttentionPooling"; }
  [[nodiscard]] std::string describe() const {
    return detail::message({kind(), ", ", units_, " units"});
  }
  [[nodiscard]] Index units() const noexcept { return units_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add("units", units_);
  }
  [[nodiscard]] Index inputs() const noexcept { return inputs_; }

  [[nodiscard]] Index output_features(Index features) const {
    if (inputs_ != Dynamic && features != inputs_) {
      detail::fail<ShapeError>({"expects ", inputs_, " features, found ", features});
    }
    return features;
  }

  void build(Index features) {
    kernel_.resize(units_, features);
    bias_.resize(units_, 1);
    context_.resize(units_, 1);
    inputs_ = features;
  }

  void initialize(const Random& random) {
    Random kernel = random.fork(0);
    Random context = random.fork(1);
    strata::initialize(GlorotUniform(), WeightMatrix<Scalar>{kernel_.values(), inputs_, units_},
                       kernel);
    strata::initialize(GlorotUniform(), WeightMatrix<Scalar>{context_.values(), units_, 1},
                       context);
    bias_.matrix().setZero();
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    return {{"kernel", {inputs_, units_}, kernel_.values()},
            {"bias", {units_}, bias_.values()},
            {"context", {units_}, context_.values()}};
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    return static_cast<Index>(kernel_.values().size() + bias_.values().size() +
                              context_.values().size());
  }

  struct Packed {
    detail::Linear<Scalar> linear;

    /// Never called: Stream refuses the layer.
    void step(const Scalar*, Scalar*, Scalar*, WeightOrder) const noexcept {}
  };

  struct Tape {
    detail::Buffer<Scalar> hidden;   ///< (B T, A): tanh(x_t W + b).
    detail::Buffer<Scalar> weights;  ///< (B, T): softmax of the scores.
    detail::Buffer<Scalar> dhidden;  ///< (B T, A): by what went into tanh.
    detail::Buffer<Scalar> dscores;  ///< (T): of the sequence at work.
    typename detail::Linear<Scalar>::Scratch scratch;
  };

  void pack(Packed& packed, bool training) const {
    packed.linear.pack(inputs_, units_, kernel_.values().data(), bias_.values().data(), training);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    Tape tape;
    forward(packed, x, tape, y, pass);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    const Index steps = x.steps();
    const Index rows = x.batch() * steps;
    tape.hidden.resize(rows * units_);
    tape.weights.resize(rows);
    Scalar* const hidden = tape.hidden.data();
    packed.linear.apply(
        rows, [&](Index row) { return x.data() + row * inputs_; },
        [&](Index row) { return hidden + row * units_; });
    detail::transform(
        rows * units_, hidden, [](auto v) { return activate(Activation::tanh, v); },
        static_cast<const Scalar*>(hidden));
    y.resize({x.batch(), inputs_});
    std::fill(y.values().begin(), y.values().end(), Scalar(0));
    for (Index b = 0; b < x.batch(); ++b) {
      Scalar* const weights = tape.weights.data() + b * steps;
      weigh(hidden + b * steps * units_, b, steps, pass.mask, weights);
      for (Index t = 0; t < steps; ++t) {
        detail::add_scaled(inputs_, weights[t], x_row(x, b, t), y.data() + b * inputs_);
      }
    }
  }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    const Index steps = x.steps();
    const Index rows = x.batch() * steps;
    using P = detail::Pack<Scalar>;
    tape.dscores.resize(steps);
    tape.dhidden.resize(rows * units_);
    const Scalar* const context = context_.values().data();
    Scalar* const dcontext = gradient.data() + (inputs_ + 1) * units_;
    for (Index b = 0; b < x.batch(); ++b) {
      const Scalar* const slope = std::as_const(dy).data() + b * inputs_;
      Scalar* const dscores = tape.dscores.data();
      for (Index t = 0; t < steps; ++t) dscores[t] = detail::dot(inputs_, x_row(x, b, t), slope);
      detail::softmax_backward(tape.weights.data() + b * steps, dscores, steps);
      for (Index t = 0; t < steps; ++t) {
        const Scalar* const hidden = tape.hidden.data() + (b * steps + t) * units_;
        detail::add_scaled(units_, dscores[t], hidden, dcontext);
        detail::transform(
            units_, tape.dhidden.data() + (b * steps + t) * units_,
            [d = P::broadcast(dscores[t]), one = P::broadcast(1)](P h, P c) {
              return d * c * (one - h * h);
            },
            hidden, context);
      }
    }
    const auto dz = [&](Index row) -> const Scalar* { return tape.dhidden.data() + row * units_; };
    packed.linear.add_gradients(
        rows, [&](Index row) { return x.data() + row * inputs_; }, dz, gradient.data(),
        gradient.data() + inputs_ * units_, tape.scratch);
    if (!dx) return;
    dx->resize(x.shape());
    Scalar* const to = dx->data();
    packed.linear.apply_transposed(rows, dz, [&](Index row) { return to + row * inputs_; });
    for (Index row = 0; row < rows; ++row) {
      detail::add_scaled(inputs_, tape.weights.data()[row],
                         std::as_const(dy).data() + row / steps * inputs_, to + row * inputs_);
    }
  }

  void check_stream() const {
    detail::raise<ValueError>(
        "AttentionPooling needs the whole sequence, which a stream does not have");
  }
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] AttentionPooling<Other> to_dynamic() const {
    AttentionPooling<Other> layer(units_);
    if (inputs_ == Dynamic) return layer;
    layer.build(inputs_);
    layer.kernel_.matrix() = kernel_.matrix().template cast<Other>();
    layer.bias_.matrix() = bias_.matrix().template cast<Other>();
    layer.context_.matrix() = context_.matrix().template cast<Other>();
    return layer;
  }

 private:
  template <class, Index, Index>
  friend class AttentionPooling;

  [[nodiscard]] const Scalar* x_row(const Tensor<Scalar>& x, Index b, Index t) const noexcept {
    return x.data() + (b * x.steps() + t) * inputs_;
  }

  AttentionPooling(Index units, bool) : units_(units) {
    sizes::check("AttentionPooling", "units", units);
    if (inputs_ != Dynamic) build(inputs_);
  }

  /// The weights of the steps of sequence b; zero where they do not count.
  void weigh(const Scalar* hidden, Index b, Index steps, const Mask* mask, Scalar* weights) const {
    const auto counts = [&](Index t) { return !mask || (*mask)(b, t); };
    Index counted = 0;
    for (Index t = 0; t < steps; ++t) {
      if (!counts(t)) continue;
      weights[counted++] = detail::dot(units_, hidden + t * units_, context_.values().data());
    }
    if (counted > 0) detail::softmax(weights, counted);
    for (Index t = steps - 1; t >= 0; --t) {
      weights[t] = counts(t) ? weights[--counted] : Scalar(0);
    }
  }

  Index units_;
  Index inputs_ = Inputs;
  detail::Weights<Scalar, Units, Inputs> kernel_;
  detail::Weights<Scalar, Units, 1> bias_;
  detail::Weights<Scalar, Units, 1> context_;
};

AttentionPooling(Index)->AttentionPooling<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<AttentionPooling<Scalar>> : HeldAs<HeldKind::attention_pooling> {};

}  // namespace strata::detail
