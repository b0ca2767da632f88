#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' options of a BatchNormalization layer, with Keras' defaults.
struct BatchNormalizationOptions {
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Zeros{};
  Initializer gamma_initializer = Ones{};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("momentum", self.momentum);
    f("epsilon", self.epsilon);
    f("center", self.center);
    f("scale", self.scale);
    f("beta_initializer", self.beta_initializer);
    f("gamma_initializer", self.gamma_initializer);
  }
};

/// Each feature with mean 0 and variance 1 over the batch and its steps, then scaled and shifted
/// (Ioffe & Szegedy 2015): y = gamma (x - mean) / sqrt(variance + epsilon) + beta. (B, F) to (B,
/// F), (B, T, F) to (B, T, F).
///
/// Training takes mean and variance of the batch, of the steps that count; prediction takes the
/// moving ones, which follow those of the training batches by a share of 1 - momentum each. Those
/// are parameters that are not trainable. All are of (F).
///
/// Longer than other headers, because its derivatives go through the statistics of the batch, with
/// masks, and are written by hand.
template <class Scalar = float, Index Features = Dynamic>
class BatchNormalization {
  using Row = detail::Row<Scalar>;
  using RowMap = detail::Map<Row>;
  using P = detail::Pack<Scalar>;
  using ConstRowMap = detail::Map<const Row>;

 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = Features;
  static constexpr Index fixed_outputs = Features;
  static constexpr bool mixes_sequences = true;

  /// Throws ValueError on a momentum outside [0, 1] or a negative epsilon.
  explicit BatchNormalization(BatchNormalizationOptions options = {}) : options_(options) {
    if (!detail::is_finite(options.momentum) || options.momentum < 0 || options.momentum > 1) {
      detail::fail<ValueError>(
          {"BatchNormalization: momentum must be in [0, 1], found ", options.momentum});
    }
    if (!detail::is_finite(options.epsilon) || options.epsilon < 0) {
      detail::fail<ValueError>(
          {"BatchNormalization: epsilon must be at least 0, found ", options.epsilon});
    }
    if (features_ != Dynamic) build(features_);
  }

  [[nodiscard]] std::string kind() const { return "BatchNormalization"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] const BatchNormalizationOptions& options() const noexcept { return options_; }
  [[nodiscard]] LayerDescription description() const {
    return LayerDescription{kind()}.add_all(options_);
  }
  [[nodiscard]] Index inputs() const noexcept { return features_; }

  [[nodiscard]] Index output_features(Index features) const {
    if (features_ != Dynamic && features != features_) {
      detail::fail<ShapeError>({"expects ", features_, " features, found ", features});
    }
    return features;
  }

  void build(Index features) {
    gamma_.resize(features, 1);
    beta_.resize(features, 1);
    moving_mean_.resize(features, 1);
    moving_variance_.resize(features, 1);
    features_ = features;
  }

  /// Sets the moving mean to 0 and the moving variance to 1.
  void initialize(const Random& random) {
    const auto draw = [&](const Initializer& initializer, auto& weights, std::uint64_t key) {
      Random own = random.fork(key);
      strata::initialize(initializer, WeightMatrix<Scalar>{weights.values(), features_, features_},
                         own);
    };
    draw(options_.gamma_initializer, gamma_, 0);
    draw(options_.beta_initializer, beta_, 1);
    moving_mean_.matrix().setZero();
    moving_variance_.matrix().setOnes();
  }

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    std::vector<Parameter<Scalar>> list;
    if (options_.scale) list.push_back({"gamma", {features_}, gamma_.values()});
    if (options_.center) list.push_back({"beta", {features_}, beta_.values()});
    list.push_back({"moving_mean", {features_}, moving_mean_.values(), false});
    list.push_back({"moving_variance", {features_}, moving_variance_.values(), false});
    return list;
  }
  [[nodiscard]] Index parameter_count() const noexcept {
    return (2 + Index(options_.scale) + Index(options_.center)) * features_;
  }

  struct Packed {
    Row gamma;
    Row beta;
    Row mean;
    Row factor;

    void step(const Scalar* x, Scalar*, Scalar* y) const noexcept { apply(x, mean, factor, y); }

    void apply(const Scalar* x, const Row& center, const Row& scale, Scalar* y) const noexcept {
      detail::transform(
          gamma.size(), y,
          [](P value, P middle, P by, P slope, P shift) {
            return multiply_add((value - middle) * by, slope, shift);
          },
          x, center.data(), scale.data(), gamma.data(), beta.data());
    }
  };

  /// Of the batch: the mean, what takes the deviation from it to a variance of 1, and the number of
  /// steps that the sums are divided by. The moving mean and variance after it.
  struct Tape {
    Row mean;
    Row factor;
    Scalar count = 0;
    Row moving_mean;
    Row moving_variance;
    Row slope_sum;
    Row slope_along;
  };

  void pack(Packed& packed, bool) const {
    packed.gamma.setOnes(features_);
    packed.beta.setZero(features_);
    if (options_.scale) packed.gamma = row(gamma_);
    if (options_.center) packed.beta = row(beta_);
    packed.mean = row(moving_mean_);
    packed.factor = factor_of(moving_variance_.values().data());
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      packed.step(x.data() + at, nullptr, y.data() + at);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    take_moments(x, pass.mask, tape);
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      packed.apply(x.data() + at, tape.mean, tape.factor, y.data() + at);
    }
  }

  /// Of the moving mean and variance the derivatives are zero.
  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape& tape, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>& pass) const {
    const Index rows = x.batch() * x.steps();
    const auto slope = [&](Index r) {
      return ConstRowMap(std::as_const(dy).data() + r * features_, features_);
    };
    tape.slope_sum.setZero(features_);
    tape.slope_along.setZero(features_);
    for (Index r = 0; r < rows; ++r) {
      tape.slope_sum += slope(r);
      detail::transform(
          features_, tape.slope_along.data(),
          [](P d, P value, P mean, P factor, P sum) {
            return multiply_add(d, (value - mean) * factor, sum);
          },
          slope(r).data(), x.data() + r * features_, tape.mean.data(), tape.factor.data(),
          std::as_const(tape.slope_along).data());
    }
    Scalar* to = gradient.data();
    if (options_.scale) {
      RowMap(to, features_) += tape.slope_along;
      to += features_;
    }
    if (options_.center) RowMap(to, features_) += tape.slope_sum;
    if (!dx) return;

    dx->resize(x.shape());
    // The variance depends on the mean too, a little, where the divisor is not the number of steps.
    const Scalar excess = Scalar(1) - counted(x, pass.mask) / tape.count;
    const P part = P::broadcast(excess);
    detail::transform(
        features_, tape.slope_sum.data(),
        [part](P sum, P along, P factor, P mean) { return sum - part * along * factor * mean; },
        std::as_const(tape.slope_sum).data(), tape.slope_along.data(), tape.factor.data(),
        tape.mean.data());
    const P count = P::broadcast(tape.count);
    for (Index at = 0, r = 0; r < rows; at += features_, ++r) {
      if (counts(pass.mask, x.steps(), r)) {
        detail::transform(
            features_, dx->data() + at,
            [&](P d, P value, P mean, P factor, P sum, P along, P gamma) {
              return (d - (sum + (value - mean) * factor * along) / count) * factor * gamma;
            },
            slope(r).data(), x.data() + at, tape.mean.data(), tape.factor.data(),
            tape.slope_sum.data(), tape.slope_along.data(), packed.gamma.data());
      } else {
        detail::transform(
            features_, dx->data() + at, [](P d, P factor, P gamma) { return d * factor * gamma; },
            slope(r).data(), tape.factor.data(), packed.gamma.data());
      }
    }
  }

  /// Takes over the moving mean and variance after a training pass.
  void absorb(const Tape& tape) {
    moving_mean_.matrix() = tape.moving_mean.matrix().transpose();
    moving_variance_.matrix() = tape.moving_variance.matrix().transpose();
  }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] BatchNormalization<Other> to_dynamic() const {
    BatchNormalization<Other> layer(options_);
    if (features_ == Dynamic) return layer;
    layer.build(features_);
    layer.gamma_.matrix() = gamma_.matrix().template cast<Other>();
    layer.beta_.matrix() = beta_.matrix().template cast<Other>();
    layer.moving_mean_.matrix() = moving_mean_.matrix().template cast<Other>();
    layer.moving_variance_.matrix() = moving_variance_.matrix().template cast<Other>();
    return layer;
  }

 private:
  template <class, Index>
  friend class BatchNormalization;

  using Weights = detail::Weights<Scalar, Features, 1>;

  [[nodiscard]] ConstRowMap row(const Weights& weights) const {
    return {weights.values().data(), features_};
  }
  // Register by register from the first number, since Eigen begins at an aligned address and rounds
  // roots differently before it.
  [[nodiscard]] Row factor_of(const Scalar* variance) const {
    const P epsilon = P::broadcast(Scalar(options_.epsilon));
    Row factor(features_);
    detail::transform(
        features_, factor.data(),
        [epsilon](P value) { return P::broadcast(1) / sqrt(value + epsilon); }, variance);
    return factor;
  }

  [[nodiscard]] static bool counts(const Mask* mask, Index steps, Index row) {
    return !mask || (*mask)(row / steps, row % steps);
  }
  [[nodiscard]] static Scalar counted(const Tensor<Scalar>& x, const Mask* mask) {
    return static_cast<Scalar>(mask ? mask->count() : x.batch() * x.steps());
  }

  void take_moments(const Tensor<Scalar>& x, const Mask* mask, Tape& tape) const {
    const Index rows = x.batch() * x.steps();
    // Keras' guard against a batch of which no step counts.
    tape.count = counted(x, mask) + (mask ? Scalar(1e-7) : Scalar(0));
    const auto mean_of = [&](Row& mean, auto add) {
      mean.setZero(features_);
      for (Index r = 0; r < rows; ++r) {
        if (!counts(mask, x.steps(), r)) continue;
        detail::transform(features_, mean.data(), add, x.data() + r * features_,
                          std::as_const(tape.mean).data(), std::as_const(mean).data());
      }
      mean /= tape.count;
    };
    mean_of(tape.mean, [](P value, P, P sum) { return sum + value; });
    Row variance;
    mean_of(variance,
            [](P value, P mean, P sum) { return multiply_add(value - mean, value - mean, sum); });
    tape.factor = factor_of(variance.data());
    const P momentum = P::broadcast(Scalar(options_.momentum));
    const P share = P::broadcast(Scalar(1 - options_.momentum));
    const auto follow = [&](Row& to, const Weights& before, const Row& now) {
      to.resize(features_);
      detail::transform(
          features_, to.data(), [&](P old, P fresh) { return momentum * old + share * fresh; },
          before.values().data(), now.data());
    };
    follow(tape.moving_mean, moving_mean_, tape.mean);
    follow(tape.moving_variance, moving_variance_, variance);
  }

  Index features_ = Features;
  BatchNormalizationOptions options_;
  Weights gamma_;
  Weights beta_;
  Weights moving_mean_;
  Weights moving_variance_;
};

BatchNormalization()->BatchNormalization<float>;

}  // namespace strata::inline STRATA_TARGET
