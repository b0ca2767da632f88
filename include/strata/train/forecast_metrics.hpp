#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/metric.hpp>

// Figures of forecasts. MeanAbsolutePercentageError, of regression_losses.hpp, serves as one too.

namespace strata::inline STRATA_RUNTIME {

/// The coefficient of determination, 1 - sum (y - prediction)^2 / sum (y - mean y)^2, the mean over
/// the outputs (Keras' R2Score): 1 for perfect forecasts, 0 for those no better than the mean.
struct R2Score {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "r2_score";
  static constexpr Mode mode = Mode::max;

  /// Four for each output: weights, targets, their squares, squared errors.
  [[nodiscard]] static std::size_t sum_count(Index size) {
    return 4 * static_cast<std::size_t>(size);
  }
  template <class Scalar>
  void add(const Scalar* prediction, const Scalar* target, Index size, Index, double weight,
           std::span<double> sums) const {
    for (Index i = 0; i < size; ++i) {
      const auto y = static_cast<double>(target[i]);
      const double error = y - static_cast<double>(prediction[i]);
      const std::span<double> own = sums.subspan(4 * static_cast<std::size_t>(i), 4);
      own[0] += weight;
      own[1] = std::fma(weight, y, own[1]);
      own[2] = std::fma(weight * y, y, own[2]);
      own[3] = std::fma(weight * error, error, own[3]);
    }
  }
  /// 0 for an output whose targets are all equal, unless the forecasts are perfect.
  [[nodiscard]] static double result(std::span<const double> sums) {
    double all = 0;
    for (std::size_t i = 0; i < sums.size(); i += 4) {
      const double mean = sums[i] == 0 ? 0 : sums[i + 1] / sums[i];
      const double spread = sums[i + 2] - mean * sums[i + 1];
      all += spread > 0 ? 1 - sums[i + 3] / spread : sums[i + 3] == 0 ? 1 : 0;
    }
    return sums.empty() ? 0 : 4 * all / static_cast<double>(sums.size());
  }
};

/// 200 |y - prediction| / (|y| + |prediction|), the mean over the features: from 0 to 200. 0 where
/// both are 0 (the sMAPE of the M4 competition, Makridakis et al. 2020).
struct SymmetricMeanAbsolutePercentageError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "smape";
  static constexpr Mode mode = Mode::min;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const auto y = static_cast<double>(target[i]), p = static_cast<double>(prediction[i]);
      const double whole = std::abs(y) + std::abs(p);
      sum += whole == 0 ? 0 : 200 * std::abs(y - p) / whole;
    }
    return sum / static_cast<double>(size);
  }
};

/// The mean absolute error of repeating the value from `season` steps before, over the series
/// (B, T, F), feature by feature and then the mean: the scale of MeanAbsoluteScaledError. Throws
/// ShapeError on a series that has not more than `season` steps, ValueError when `season` is
/// below 1.
template <class Scalar>
[[nodiscard]] double seasonal_error(const Tensor<Scalar>& series, Index season = 1) {
  if (season < 1) {
    messages::fail<ValueError>({"seasonal_error: season must be at least 1, found ", season});
  }
  if (series.rank() != 3 || series.steps() <= season) {
    messages::fail<ShapeError>({"seasonal_error: expects series (B, T, F) of more than ", season,
                                " steps, found ", series.shape()});
  }
  double sum = 0;
  for (Index b = 0; b < series.batch(); ++b) {
    for (Index t = season; t < series.steps(); ++t) {
      for (Index f = 0; f < series.features(); ++f) {
        sum += std::abs(static_cast<double>(series(b, t, f)) -
                        static_cast<double>(series(b, t - season, f)));
      }
    }
  }
  return sum / static_cast<double>(series.batch() * (series.steps() - season) * series.features());
}

/// The mean absolute error divided by that of a simple forecast on the series that was learned from
/// (Hyndman & Koehler 2006): below 1 is better than the simple forecast.
///
///   {MeanAbsoluteScaledError{.scale = seasonal_error(series, 24)}}
struct MeanAbsoluteScaledError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mase";
  static constexpr Mode mode = Mode::min;
  /// The mean absolute error of the simple forecast, above 0; must be given. See seasonal_error.
  double scale = 0;

  void check() const {
    detail::check_setting(name, "scale", scale, scale > 0, "above 0 and finite");
  }
  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      sum += std::abs(static_cast<double>(prediction[i]) - static_cast<double>(target[i]));
    }
    return sum / (scale * static_cast<double>(size));
  }
};

}  // namespace strata::inline STRATA_RUNTIME
