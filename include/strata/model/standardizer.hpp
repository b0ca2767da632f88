#pragma once

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/layers/normalization.hpp>
#include <strata/shape.hpp>
#include <strata/support/feature_moments.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A part of the steps of series: from `begin` up to, and without, `end`. `end` = 0: to the last.
struct StepRange {
  Index begin = 0;
  Index end = 0;
};

/// Brings each feature to mean 0 and deviation 1, and forecasts back to the unit of the data.
///
///   Standardizer<float> standard;
///   standard.fit(series, {.end = 800});               // the part to train on
///   const Tensor<float> scaled = standard.transform(series);
///   Tensor<float> forecast = standard.inverse(model.predict(windows(scaled, ...)));
///
/// To save it with the model, the model begins with Normalization{standard.layer()}, and ends with
/// Normalization{standard.inverse_layer(horizon)} where it forecasts `horizon` steps.
///
/// A feature that is the same at all steps has the deviation 1.
template <class Scalar>
class Standardizer {
 public:
  /// Takes mean and deviation over all samples and the steps in the range of x, (B, F) or
  /// (B, T, F). Throws ShapeError on empty data, ValueError on a range outside of x and on numbers
  /// that are not finite; the standardizer is unchanged then.
  void fit(const Tensor<Scalar>& x, StepRange steps = {}) {
    if (x.empty()) {
      messages::fail<ShapeError>({"Standardizer: x is empty: its shape is ", x.shape()});
    }
    if (steps.end == 0) steps.end = x.steps();
    if (steps.begin < 0 || steps.end > x.steps() || steps.begin >= steps.end) {
      messages::fail<ValueError>({"Standardizer: the steps from ", steps.begin, " to ", steps.end,
                                  " are not a part of ", x.steps(), " steps"});
    }
    auto [mean, deviation] = detail::feature_moments(x, steps.begin, steps.end);
    for (std::size_t i = 0; i < mean.size(); ++i) {
      if (!detail::is_finite(deviation[i])) {
        messages::fail<ValueError>(
            {"Standardizer: feature ", i, " has numbers that are infinite or not a number"});
      }
      deviation[i] = deviation[i] > 0 ? std::sqrt(deviation[i]) : 1;
    }
    mean_ = std::move(mean);
    deviation_ = std::move(deviation);
  }

  /// Mean and deviation of each feature; empty before fit.
  [[nodiscard]] const std::vector<double>& mean() const& noexcept { return mean_; }
  [[nodiscard]] const std::vector<double>& deviation() const& noexcept { return deviation_; }

  /// (x - mean) / deviation, feature by feature. Throws StateError before fit, ShapeError on
  /// another number of features.
  [[nodiscard]] Tensor<Scalar> transform(const Tensor<Scalar>& x) const {
    check(x, mean_.size() == static_cast<std::size_t>(x.features()));
    return mapped(x,
                  [&](double value, std::size_t i) { return (value - mean_[i]) / deviation_[i]; });
  }

  /// The way back, of data with all features, or of forecasts of several steps of them,
  /// (B, horizon F), step by step. Throws what transform throws.
  [[nodiscard]] Tensor<Scalar> inverse(const Tensor<Scalar>& y) const {
    check(y, !mean_.empty() && static_cast<std::size_t>(y.features()) % mean_.size() == 0);
    return mapped(y, [&](double value, std::size_t i) { return value * deviation_[i] + mean_[i]; });
  }

  /// The options of the Normalization layer that does what transform does. Throws StateError before
  /// fit.
  [[nodiscard]] NormalizationOptions layer() const { return repeated(1, false); }
  /// The options of the layer that does what inverse does with forecasts of `horizon` steps.
  [[nodiscard]] NormalizationOptions inverse_layer(Index horizon = 1) const {
    return repeated(horizon, true);
  }

 private:
  void check(const Tensor<Scalar>& x, bool fits) const {
    if (mean_.empty()) detail::raise<StateError>("Standardizer: call fit first");
    if (fits) return;
    messages::fail<ShapeError>(
        {"Standardizer: was fitted to ", mean_.size(), " features, found ", x.shape()});
  }

  template <class F>
  [[nodiscard]] Tensor<Scalar> mapped(const Tensor<Scalar>& x, F f) const {
    Tensor<Scalar> y(x.shape());
    Scalar* const to = y.data();
    for (Index i = 0; i < x.size(); ++i) {
      const auto feature = static_cast<std::size_t>(i % x.features()) % mean_.size();
      to[i] = static_cast<Scalar>(f(static_cast<double>(x.data()[i]), feature));
    }
    return y;
  }

  [[nodiscard]] NormalizationOptions repeated(Index times, bool invert) const {
    if (mean_.empty()) detail::raise<StateError>("Standardizer: call fit first");
    if (times < 1) {
      messages::fail<ValueError>({"Standardizer: horizon must be at least 1, found ", times});
    }
    NormalizationOptions options{.invert = invert};
    for (Index i = 0; i < times; ++i) {
      options.mean.insert(options.mean.end(), mean_.begin(), mean_.end());
      for (const double deviation : deviation_) options.variance.push_back(deviation * deviation);
    }
    return options;
  }

  std::vector<double> mean_;
  std::vector<double> deviation_;
};

}  // namespace strata::inline STRATA_RUNTIME
