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
#include <strata/contracts/feature_layer.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/support/checks.hpp>
#include <strata/support/feature_moments.hpp>
#include <strata/target.hpp>

namespace strata {

/// Keras' options of a Normalization layer, with Keras' defaults.
///
///   Normalization{{.mean = {20.5, 1013}, .variance = {64, 90}}}
struct NormalizationOptions {
  /// Mean and variance where they are known and need no data: one number for each feature, or one
  /// for all features. Both are given, or none.
  std::vector<double> mean = {};
  std::vector<double> variance = {};
  /// Whether the layer takes normalized data back to what it was, as behind the last layer of a
  /// forecast. False, since most data is normalized on its way in.
  bool invert = false;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("mean", self.mean);
    f("variance", self.variance);
    f("invert", self.invert);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

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
class Normalization
    : public detail::FeatureLayer<Normalization, Scalar, Features, NormalizationOptions, 2> {
  using Base = detail::FeatureLayer<Normalization, Scalar, Features, NormalizationOptions, 2>;
  using Base::arrays_, Base::features_, Base::options_;
  using typename Base::Row;
  using P = detail::Pack<Scalar>;

  /// Places of the arrays.
  static constexpr std::size_t mean_place = 0;
  static constexpr std::size_t variance_place = 1;

 public:
  using typename Base::Tape;

  static constexpr const char* name = "Normalization";
  static constexpr LayerTraits traits{};

  /// Throws ValueError unless mean and variance are finite, the variance is at least 0 and both
  /// have the same size; ShapeError when that is another than Features.
  explicit Normalization(NormalizationOptions options = {})
      : Base(options, {{{.name = "mean",
                         .initializer = Zeros{},
                         .trainable = false,
                         .used = options.mean.empty()},
                        {.name = "variance",
                         .initializer = Ones{},
                         .trainable = false,
                         .used = options.mean.empty()}}}) {
    check(options_);
    const auto given = static_cast<Index>(options_.mean.size());
    if (given > 1) (void)this->output_features(given);
    if (features_ != Dynamic || given > 1) build(std::max(features_, given));
  }

  /// The given mean and variance, or 0 and 1.
  void build(Index features) {
    Base::build(features);
    using Numbers = std::vector<double>;
    this->set_constants(mean_place, is_given() ? options_.mean : Numbers{0});
    this->set_constants(variance_place, is_given() ? options_.variance : Numbers{1});
  }

  /// Takes the mean and variance of each feature over all samples and steps of x, (B, F) or
  /// (B, T, F), padding too, as Keras does. A layer without sizes gets those of x. Throws
  /// StateError when mean and variance are given by the options, ShapeError on data that is empty
  /// or has another number of features, ValueError on numbers that are not finite and where the
  /// Scalar cannot hold the variance. The layer is unchanged then.
  void adapt(const Tensor<Scalar>& x) {
    if (is_given()) {
      detail::raise<StateError>("Normalization: adapt: mean and variance are given by the options");
    }
    detail::check_not_empty("Normalization: adapt: x", x);
    if (features_ != Dynamic && x.features() != features_) {
      detail::fail<ShapeError>(
          {"Normalization: adapt: expects ", features_, " features, found x of ", x.shape()});
    }
    detail::check_finite("Normalization: adapt: x", x);
    const auto [mean, variance] = detail::feature_moments(x, 0, x.steps());
    for (std::size_t i = 0; i < mean.size(); ++i) {
      if (!detail::is_finite(static_cast<Scalar>(mean[i])) ||
          !detail::is_finite(static_cast<Scalar>(variance[i]))) {
        detail::fail<ValueError>({"Normalization: adapt: the variance of feature ",
                                  static_cast<Index>(i), " of x is larger than numbers can be"});
      }
    }
    if (features_ == Dynamic) build(x.features());
    for (std::size_t i = 0; i < mean.size(); ++i) {
      arrays_[mean_place].values()[i] = static_cast<Scalar>(mean[i]);
      arrays_[variance_place].values()[i] = static_cast<Scalar>(variance[i]);
    }
  }

  /// Leaves mean and variance as they are, since they come from data.
  void initialize(const Random&) {}

  struct Packed {
    Row mean;
    Row deviation;
    bool invert = false;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
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

  void pack(Packed& packed, bool) const {
    packed.mean = typename Base::ConstRowMap(arrays_[mean_place].values().data(), features_);
    packed.deviation.resize(features_);
    for (Index i = 0; i < features_; ++i) {
      const Scalar variance = arrays_[variance_place].values()[static_cast<std::size_t>(i)];
      packed.deviation[i] = (std::max)(std::sqrt(variance), epsilon);
    }
    packed.invert = options_.invert;
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

 private:
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
};

Normalization()->Normalization<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<Normalization<Scalar>> : HeldAs<HeldKind::normalization> {};

}  // namespace strata::detail
