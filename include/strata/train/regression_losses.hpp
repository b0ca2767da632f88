#pragma once

#include <algorithm>
#include <cmath>

#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/losses.hpp>

// Keras' losses of values beside those of losses.hpp, with Keras' formulas. Each serves as a metric
// too. Targets: a value for each output.

namespace strata::detail::inline STRATA_RUNTIME {

/// Keras' keras.config.epsilon().
inline constexpr double keras_epsilon = 1e-7;

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// log(cosh(prediction - target)), the mean over the features: about half the square of small
/// errors, and the size of large ones less log 2.
struct LogCosh {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "log_cosh";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(
        prediction, target, size, gradient, [](double y, double t, double& slope) {
          const double distance = std::abs(y - t);
          slope = std::tanh(y - t);
          return distance + std::log1p(std::exp(-2 * distance)) - std::log(2.0);
        });
  }
};

/// 100 |target - prediction| / |target|, the mean over the features; |target| counts as at least
/// 1e-7.
struct MeanAbsolutePercentageError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mape";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(
        prediction, target, size, gradient, [](double y, double t, double& slope) {
          const double scale = 100 / (std::max)(std::abs(t), detail::keras_epsilon);
          slope = y > t ? scale : y < t ? -scale : 0;
          return scale * std::abs(y - t);
        });
  }
};

/// (log(1 + prediction) - log(1 + target))^2, the mean over the features, for targets of at least
/// 0. Predictions and targets below 1e-7 count as 1e-7.
struct MeanSquaredLogarithmicError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "msle";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(
        prediction, target, size, gradient, [](double y, double t, double& slope) {
          const double error = std::log(std::max(y, detail::keras_epsilon) + 1) -
                               std::log(std::max(t, detail::keras_epsilon) + 1);
          slope = y > detail::keras_epsilon ? 2 * error / (y + 1) : 0;
          return error * error;
        });
  }
};

/// prediction - target log(prediction + 1e-7), the mean over the features: the negative log
/// likelihood of counts of the expectation `prediction`, but for a term of the target alone. The
/// predictions are above 0.
struct Poisson {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "poisson";
  static constexpr const char* target_range = "at least 0";

  template <class Scalar>
  [[nodiscard]] static bool takes(Scalar target) {
    return target >= Scalar(0);
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(prediction, target, size, gradient,
                                      [](double y, double t, double& slope) {
                                        slope = 1 - t / (y + detail::keras_epsilon);
                                        return y - t * std::log(y + detail::keras_epsilon);
                                      });
  }
};

/// The negative cosine of the angle between predictions and targets of a row: -1 for the same
/// direction, 0 for right angles.
struct CosineSimilarity {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "cosine_similarity";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    const auto inverse_norm = [&](const Scalar* values) {
      double squares = 0;
      for (Index i = 0; i < size; ++i) {
        squares = std::fma(static_cast<double>(values[i]), static_cast<double>(values[i]), squares);
      }
      return (std::min)(1 / std::sqrt(squares), 1 / detail::keras_epsilon);
    };
    const double by = inverse_norm(prediction), by_target = inverse_norm(target);
    double cosine = 0;
    for (Index i = 0; i < size; ++i) {
      cosine +=
          static_cast<double>(prediction[i]) * by * static_cast<double>(target[i]) * by_target;
    }
    const bool is_short = by >= 1 / detail::keras_epsilon;
    for (Index i = 0; gradient && i < size; ++i) {
      const double along = is_short ? 0 : cosine * static_cast<double>(prediction[i]) * by;
      gradient[i] = static_cast<Scalar>(-by * (static_cast<double>(target[i]) * by_target - along));
    }
    return -cosine;
  }
};

}  // namespace strata::inline STRATA_RUNTIME
