#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/support/checks.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Keras' options of a Normalization layer, with Keras' defaults.
///
///   Normalization{{.mean = {20.5, 1013}, .variance = {64, 90}}}
struct NormalizationOptions {
  /// Mean and variance where they are known and need no data: one number for each feature, or one
  /// for all features. Both are given, or none.
  std::vector<double> mean = {};
  std::vector<double> variance = {};
  /// Whether the layer takes normalized data back to what it was, as behind the last layer of a
  /// forecast.
  bool invert = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("mean", self.mean);
    f("variance", self.variance);
    f("invert", self.invert);
  }
};

/// Keras' Normalization: brings each feature to mean 0 and variance 1 over the data that `adapt`
/// saw, y = (x - mean) / max(sqrt(variance), 1e-7). With `invert` the way back, y = mean + x
/// max(sqrt(variance), 1e-7). (B, F) to (B, F), (B, T, F) to (B, T, F).
///
///   Sequential model{Normalization{}, LSTM{32}, Dense{1}};
///   model.layer<0>().adapt(x);                            // before fit
///
///   Sequential<> chosen;
///   chosen.add(Normalization{});
///   chosen.layer<Normalization<float>>(0).adapt(x);
///
/// Mean and variance, both of (F), are parameters that are not trainable; before `adapt` they are 0
/// and 1. Given by the options they are settings, and the layer has no parameters.
template <class Scalar = float, Index Features = Dynamic>
class Normalization {
  using Row = detail::Row<Scalar>;
  using P = detail::Pack<Scalar>;

 public:
  using scalar_type = Scalar;
  static constexpr Accepts accepts = Accepts::any;
  static constexpr Returns returns = Returns::same;
  static constexpr Index fixed_inputs = Features;
  static constexpr Index fixed_outputs = Features;

  /// Throws ValueError unless mean and variance are finite, the variance is at least 0 and both
  /// have the same size; ShapeError when that is another than Features.
  explicit Normalization(NormalizationOptions options = {}) : options_(std::move(options)) {
    check(options_);
    const auto given = static_cast<Index>(options_.mean.size());
    if (given > 1) (void)output_features(given);
    if (features_ != Dynamic || given > 1) build(std::max(features_, given));
  }

  [[nodiscard]] std::string kind() const { return "Normalization"; }
  [[nodiscard]] std::string describe() const { return kind(); }
  [[nodiscard]] const NormalizationOptions& options() const noexcept { return options_; }
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

  /// The given mean and variance, or 0 and 1.
  void build(Index features) {
    mean_.resize(features, 1);
    variance_.resize(features, 1);
    features_ = features;
    const auto set = [](std::span<Scalar> values, const std::vector<double>& given, double other) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<Scalar>(given.empty() ? other : given[given.size() == 1 ? 0 : i]);
      }
    };
    set(mean_.values(), options_.mean, 0);
    set(variance_.values(), options_.variance, 1);
  }

  /// Takes the mean and variance of each feature over all samples and steps of x, (B, F) or
  /// (B, T, F), padding too, as Keras does. A layer without sizes gets those of x. Throws
  /// StateError when mean and variance are given by the options, ShapeError on data that is empty
  /// or has another number of features, ValueError on numbers that are not finite and where the
  /// Scalar cannot hold the variance. The layer is unchanged then.
  void adapt(const Tensor<Scalar>& x) {
    if (is_given()) {
      throw StateError("Normalization: adapt: mean and variance are given by the options");
    }
    detail::check_not_empty("Normalization: adapt: x", x);
    if (features_ != Dynamic && x.features() != features_) {
      detail::fail<ShapeError>(
          {"Normalization: adapt: expects ", features_, " features, found x of ", x.shape()});
    }
    detail::check_finite("Normalization: adapt: x", x);
    const auto features = static_cast<std::size_t>(x.features());
    const auto rows = static_cast<double>(x.batch() * x.steps());
    // The mean of f(value, feature) over all rows.
    const auto mean_of = [&](auto f) {
      std::vector<double> sums(features);
      for (Index at = 0; at < x.size(); at += x.features()) {
        for (std::size_t i = 0; i < features; ++i) {
          sums[i] += f(static_cast<double>(x.data()[at + static_cast<Index>(i)]), i);
        }
      }
      for (double& sum : sums) sum /= rows;
      return sums;
    };
    const auto mean = mean_of([](double value, std::size_t) { return value; });
    const auto variance =
        mean_of([&](double value, std::size_t i) { return (value - mean[i]) * (value - mean[i]); });
    for (std::size_t i = 0; i < features; ++i) {
      if (!detail::is_finite(static_cast<Scalar>(mean[i])) ||
          !detail::is_finite(static_cast<Scalar>(variance[i]))) {
        detail::fail<ValueError>({"Normalization: adapt: the variance of feature ",
                                  static_cast<Index>(i), " of x is larger than numbers can be"});
      }
    }
    if (features_ == Dynamic) build(x.features());
    for (std::size_t i = 0; i < features; ++i) {
      mean_.values()[i] = static_cast<Scalar>(mean[i]);
      variance_.values()[i] = static_cast<Scalar>(variance[i]);
    }
  }

  /// Leaves mean and variance as they are, since they come from data.
  void initialize(const Random&) {}

  [[nodiscard]] std::vector<Parameter<Scalar>> parameters() {
    if (is_given()) return {};
    return {{"mean", {features_}, mean_.values(), false},
            {"variance", {features_}, variance_.values(), false}};
  }

  struct Packed {
    Row mean;
    Row deviation;
    bool invert = false;

    void step(const Scalar* x, Scalar*, Scalar* y) const noexcept {
      if (invert) {
        detail::transform(
            mean.size(), y, [](P value, P middle, P by) { return multiply_add(value, by, middle); },
            x, mean.data(), deviation.data());
      } else {
        detail::transform(
            mean.size(), y, [](P value, P middle, P by) { return (value - middle) / by; }, x,
            mean.data(), deviation.data());
      }
    }
  };

  struct Tape {};

  void pack(Packed& packed, bool) const {
    packed.mean = detail::Map<const Row>(mean_.values().data(), features_);
    packed.deviation.resize(features_);
    for (Index i = 0; i < features_; ++i) {
      packed.deviation[i] =
          std::max(std::sqrt(variance_.values()[static_cast<std::size_t>(i)]), epsilon);
    }
    packed.invert = options_.invert;
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>&) const {
    y.resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      packed.step(x.data() + at, nullptr, y.data() + at);
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  /// Mean and variance are constants: they get no derivatives.
  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape&, std::span<Scalar>, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    if (!dx) return;
    dx->resize(x.shape());
    for (Index at = 0; at < x.size(); at += features_) {
      const Scalar* const slope = std::as_const(dy).data() + at;
      if (packed.invert) {
        detail::transform(
            features_, dx->data() + at, [](P d, P by) { return d * by; }, slope,
            packed.deviation.data());
      } else {
        detail::transform(
            features_, dx->data() + at, [](P d, P by) { return d / by; }, slope,
            packed.deviation.data());
      }
    }
  }

  void check_stream() const {}
  [[nodiscard]] Index state_size() const noexcept { return 0; }

  /// The same layer, mean and variance included, with sizes chosen at run time and another scalar.
  template <class Other>
  [[nodiscard]] Normalization<Other> to_dynamic() const {
    Normalization<Other> layer(options_);
    if (features_ == Dynamic) return layer;
    layer.build(features_);
    layer.mean_.matrix() = mean_.matrix().template cast<Other>();
    layer.variance_.matrix() = variance_.matrix().template cast<Other>();
    return layer;
  }

 private:
  template <class, Index>
  friend class Normalization;

  /// Keras' keras.config.epsilon().
  static constexpr Scalar epsilon = Scalar(1e-7);

  static void check(const NormalizationOptions& options) {
    const auto& [mean, variance, invert] = options;
    if (mean.size() != variance.size()) {
      detail::fail<ValueError>({"Normalization: mean and variance must have the same size, found ",
                                static_cast<Index>(mean.size()), " and ",
                                static_cast<Index>(variance.size()), " numbers"});
    }
    for (std::size_t i = 0; i < mean.size(); ++i) {
      if (!detail::is_finite(mean[i]) || !detail::is_finite(variance[i]) || variance[i] < 0) {
        detail::fail<ValueError>(
            {"Normalization: mean must be finite and variance at least 0, found ", mean[i], " and ",
             variance[i]});
      }
    }
  }
  [[nodiscard]] bool is_given() const noexcept { return !options_.mean.empty(); }

  Index features_ = Features;
  NormalizationOptions options_;
  detail::Weights<Scalar, Features, 1> mean_;
  detail::Weights<Scalar, Features, 1> variance_;
};

Normalization()->Normalization<float>;

}  // namespace strata::inline STRATA_TARGET
