#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/feature_layer.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a BatchNormalization layer, with the names and defaults of Keras.
///
///   BatchNormalization{{.momentum = 0.9}}
struct BatchNormalizationOptions {
  /// The share of the moving mean and variance that each training batch leaves; the rest comes from
  /// the batch. 0.99 remembers some hundred batches, as Keras does; shorter trainings want less.
  double momentum = 0.99;
  /// Added to the variance, so that a feature that hardly varies is not blown up. Keras' default;
  /// PyTorch's is 1e-5.
  double epsilon = 1e-3;
  /// Whether beta is added. A layer with a bias right behind needs none.
  bool center = true;
  /// Whether gamma multiplies. A layer that multiplies by weights right behind needs none.
  bool scale = true;
  /// First values of beta and of gamma: 0 and 1, so that at first nothing but the normalization
  /// happens.
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

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// Each feature with mean 0 and variance 1 over the batch and its steps, then scaled and shifted
/// (Ioffe & Szegedy 2015): y = gamma (x - mean) / sqrt(variance + epsilon) + beta. (B, F) to (B,
/// F), (B, T, F) to (B, T, F).
///
/// Training takes the mean and variance of the batch, over the steps that count. Prediction takes
/// the moving mean and variance: each training batch replaces a share of 1 - momentum of them by
/// its own.
///
/// Parameters, of (F) each: gamma, beta; moving_mean and moving_variance, which are not trainable.
template <class Scalar = float, Index Features = Dynamic>
class BatchNormalization : public detail::FeatureLayer<BatchNormalization, Scalar, Features,
                                                       BatchNormalizationOptions, 4> {
  using Base =
      detail::FeatureLayer<BatchNormalization, Scalar, Features, BatchNormalizationOptions, 4>;
  using Base::arrays_, Base::features_, Base::options_;
  using typename Base::Array, typename Base::ConstRowMap, typename Base::Row;
  using RowMap = detail::Map<Row>;
  using P = detail::Pack<Scalar>;

  /// Places of the arrays.
  static constexpr std::size_t gamma_place = 0;
  static constexpr std::size_t beta_place = 1;
  static constexpr std::size_t moving_mean_place = 2;
  static constexpr std::size_t moving_variance_place = 3;

 public:
  static constexpr const char* name = "BatchNormalization";
  static constexpr LayerTraits traits{.absorb = true, .mixes_sequences = true};

  /// Throws ValueError on a momentum outside [0, 1] or a negative epsilon.
  explicit BatchNormalization(BatchNormalizationOptions options = {})
      : Base(options,
             {{{.name = "gamma", .initializer = options.gamma_initializer, .used = options.scale},
               {.name = "beta", .initializer = options.beta_initializer, .used = options.center},
               {.name = "moving_mean", .initializer = Zeros{}, .trainable = false},
               {.name = "moving_variance", .initializer = Ones{}, .trainable = false}}}) {
    if (!detail::is_finite(options.momentum) || options.momentum < 0 || options.momentum > 1) {
      detail::fail<ValueError>({name, ": momentum must be in [0, 1], found ", options.momentum});
    }
    detail::check_normalization_epsilon(name, options.epsilon);
  }

  struct Packed {
    Row gamma;
    Row beta;
    Row mean;
    Row factor;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      apply(x, mean, factor, y);
    }

    void apply(const Scalar* x, const Row& center, const Row& scale, Scalar* y) const noexcept {
      detail::transform(
          gamma.size(), y,
          [](P value, P middle, P by, P slope, P shift) {
            return multiply_add((value - middle) * by, slope, shift);
          },
          x, center.data(), scale.data(), gamma.data(), beta.data());
    }
  };

  struct Tape {
    Row mean;          ///< Of the batch.
    Row factor;        ///< 1 / sqrt(variance of the batch + epsilon).
    Scalar count = 0;  ///< By which the sums over the batch are divided.
    Row moving_mean;   ///< After this batch, as is moving_variance.
    Row moving_variance;
    Row slope_sum;    ///< The sum of dy over the batch.
    Row slope_along;  ///< The sum of dy times the normalized x.
  };

  void pack(Packed& packed, bool) const {
    this->copy_row(gamma_place, packed.gamma, 1);
    this->copy_row(beta_place, packed.beta);
    this->copy_row(moving_mean_place, packed.mean);
    find_factor(arrays_[moving_variance_place].values().data(), packed.factor);
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      packed.step(x.data() + at, nullptr, y.data() + at, WeightOrder::ascending);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape& tape, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    if (detail::is_frozen(pass.learning)) {
      tape.mean = packed.mean;
      tape.factor = packed.factor;
      this->copy_row(moving_mean_place, tape.moving_mean);
      this->copy_row(moving_variance_place, tape.moving_variance);
    } else {
      take_moments(x, pass.mask, tape);
    }
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
    const bool is_frozen = detail::is_frozen(pass.learning);
    for (Index at = 0, r = 0; r < rows; at += features_, ++r) {
      if (!is_frozen && counts(pass.mask, x.steps(), r)) {
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
    arrays_[moving_mean_place].matrix() = tape.moving_mean.matrix().transpose();
    arrays_[moving_variance_place].matrix() = tape.moving_variance.matrix().transpose();
  }

 private:
  // Register by register from the first number, since Eigen begins at an aligned address and may
  // round roots and quotients differently before it.
  void find_factor(const Scalar* variance, Row& factor) const {
    const P epsilon = P::broadcast(Scalar(options_.epsilon));
    factor.resize(features_);
    detail::transform(
        features_, factor.data(),
        [epsilon](P value) { return P::broadcast(1) / sqrt(value + epsilon); }, variance);
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
      const P count = P::broadcast(tape.count);
      detail::transform(
          features_, mean.data(), [count](P sum) { return sum / count; },
          std::as_const(mean).data());
    };
    mean_of(tape.mean, [](P value, P, P sum) { return sum + value; });
    Row variance;
    mean_of(variance,
            [](P value, P mean, P sum) { return multiply_add(value - mean, value - mean, sum); });
    find_factor(variance.data(), tape.factor);
    const P momentum = P::broadcast(Scalar(options_.momentum));
    const P share = P::broadcast(Scalar(1 - options_.momentum));
    const auto follow = [&](Row& to, const Array& before, const Row& now) {
      to.resize(features_);
      detail::transform(
          features_, to.data(), [&](P old, P fresh) { return momentum * old + share * fresh; },
          before.values().data(), now.data());
    };
    follow(tape.moving_mean, arrays_[moving_mean_place], tape.mean);
    follow(tape.moving_variance, arrays_[moving_variance_place], variance);
  }
};

BatchNormalization()->BatchNormalization<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<BatchNormalization<Scalar>> : HeldAs<HeldKind::batch_normalization> {};

}  // namespace strata::detail
