#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/target.hpp>
#include <strata/train/loss.hpp>

// Keras' losses, with Keras' formulas and limits. Probabilities are kept at least 1e-7 away from 0
// and 1, and their derivatives beyond are zero; logits are stable at any size.

namespace strata::detail::inline STRATA_RUNTIME {

/// The mean over the features of a row. f(prediction, target, slope) is the loss of one feature and
/// sets its derivative by the prediction.
template <class Scalar, class F>
[[nodiscard]] double mean_over_features(const Scalar* prediction, const Scalar* target, Index size,
                                        Scalar* gradient, F f) {
  const auto count = static_cast<double>(size);
  double sum = 0;
  for (Index i = 0; i < size; ++i) {
    double slope = 0;
    sum += f(static_cast<double>(prediction[i]), static_cast<double>(target[i]), slope);
    if (gradient) gradient[i] = static_cast<Scalar>(slope / count);
  }
  return sum / count;
}

inline constexpr double probability_limit = 1e-7;

[[nodiscard]] inline double clipped(double probability) {
  return std::clamp(probability, probability_limit, 1 - probability_limit);
}
[[nodiscard]] inline bool is_clipped(double probability) {
  return probability < probability_limit || probability > 1 - probability_limit;
}

inline void check_label_smoothing(const char* loss, double smoothing) {
  check_setting(loss, "label_smoothing", smoothing, smoothing >= 0 && smoothing <= 1,
                "from 0 to 1");
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The mean of (prediction - target)^2 over the features. Targets: a value for each output.
struct MeanSquaredError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mse";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(prediction, target, size, gradient,
                                      [](double y, double t, double& slope) {
                                        const double error = y - t;
                                        slope = 2 * error;
                                        return error * error;
                                      });
  }
};

/// The mean of |prediction - target| over the features, whose derivative at 0 is 0. Targets: a
/// value for each output.
struct MeanAbsoluteError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mae";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(prediction, target, size, gradient,
                                      [](double y, double t, double& slope) {
                                        const double error = y - t;
                                        slope = error > 0 ? 1 : error < 0 ? -1 : 0;
                                        return std::abs(error);
                                      });
  }
};

/// Huber 1964: half the square of errors up to delta, linear beyond; the mean over the features.
/// Targets: a value for each output.
///
///   model.compile(Adam{}, Huber{.delta = 0.5});
struct Huber {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "huber";
  /// Above 0, in the unit of the targets: errors beyond it count as outliers. 1, as in Keras, suits
  /// targets of about 1.
  double delta = 1;

  /// Throws ValueError on a delta that is not above 0 and finite.
  void check() const {
    detail::check_setting(name, "delta", delta, delta > 0, "above 0 and finite");
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(
        prediction, target, size, gradient, [this](double y, double t, double& slope) {
          const double error = y - t;
          const double distance = std::abs(error);
          slope = std::clamp(error, -delta, delta);
          return distance <= delta ? 0.5 * error * error : delta * distance - 0.5 * delta * delta;
        });
  }
};

/// -t log p - (1 - t) log(1 - p), the mean over the features; p = sigmoid(prediction) from_logits,
/// else p = prediction. Targets: a value from 0 to 1 for each output.
///
///   model.compile(Adam{}, BinaryCrossentropy{.from_logits = true});
struct BinaryCrossentropy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "binary_crossentropy";
  static constexpr const char* target_range = "from 0 to 1";
  /// Whether the model's last layer has no sigmoid and the loss applies it. False, as in Keras:
  /// then predictions are probabilities.
  bool from_logits = false;
  /// The share, from 0 to 1, by which targets move towards 0.5. 0: targets as they are.
  double label_smoothing = 0;

  /// Throws ValueError on a smoothing outside 0 to 1.
  void check() const { detail::check_label_smoothing(name, label_smoothing); }
  [[nodiscard]] Predictions predictions() const {
    return from_logits ? Predictions::logits : Predictions::probabilities;
  }
  template <class Scalar>
  [[nodiscard]] static bool takes(Scalar target) {
    return target >= Scalar(0) && target <= Scalar(1);
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(
        prediction, target, size, gradient, [this](double value, double label, double& slope) {
          const double t = label * (1 - label_smoothing) + 0.5 * label_smoothing;
          if (from_logits) {
            slope = 1 / (1 + std::exp(-value)) - t;
            return (std::max)(value, 0.0) - value * t + std::log1p(std::exp(-std::abs(value)));
          }
          const double p = detail::clipped(value);
          if (!detail::is_clipped(value)) slope = (p - t) / (p * (1 - p));
          return -(t * std::log(p) + (1 - t) * std::log(1 - p));
        });
  }
};

/// -sum of t log p over the classes; p = softmax(prediction) from_logits, else the predictions
/// scaled to the sum 1. Targets: a probability for each class.
///
///   model.compile(Adam{}, CategoricalCrossentropy{.label_smoothing = 0.1});
struct CategoricalCrossentropy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "categorical_crossentropy";
  /// Whether the model's last layer has no softmax and the loss applies it. False, as in Keras:
  /// then predictions are at least 0.
  bool from_logits = false;
  /// The share, from 0 to 1, by which targets move towards equal probabilities. 0: targets as they
  /// are.
  double label_smoothing = 0;

  /// Throws ValueError on a smoothing outside 0 to 1.
  void check() const { detail::check_label_smoothing(name, label_smoothing); }
  [[nodiscard]] Predictions predictions() const {
    return from_logits ? Predictions::logits : Predictions::shares;
  }
  /// A sentence about targets that are no probabilities: they are allowed, as in Keras, but may be
  /// a mistake.
  template <class Scalar>
  [[nodiscard]] std::string doubt(const Scalar* target, Index size) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      sum += static_cast<double>(target[i]);
      if (target[i] < Scalar(0)) {
        return detail::message({"a target is ", target[i], ", but probabilities are at least 0"});
      }
    }
    // The sum of probabilities that are written with three digits may differ from 1 by this much.
    constexpr double rounding = 1e-2;
    if (std::abs(sum - 1) <= rounding) return {};
    return detail::message(
        {"the targets of a row have the sum ", sum, ", but probabilities have 1"});
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    const auto smoothed = [&](Index i) {
      return static_cast<double>(target[i]) * (1 - label_smoothing) +
             label_smoothing / static_cast<double>(size);
    };
    return from_logits ? with_logits(prediction, smoothed, size, gradient)
                       : with_probabilities(prediction, smoothed, size, gradient);
  }

 private:
  template <class Scalar, class Target>
  static double with_logits(const Scalar* prediction, Target target, Index size, Scalar* gradient) {
    const double log_sum = detail::log_sum_exp(prediction, size);
    double sum = 0;
    double weight = 0;
    for (Index i = 0; i < size; ++i) {
      weight += target(i);
      sum += target(i) * (log_sum - static_cast<double>(prediction[i]));
    }
    for (Index i = 0; gradient && i < size; ++i) {
      const double p = std::exp(static_cast<double>(prediction[i]) - log_sum);
      gradient[i] = static_cast<Scalar>(weight * p - target(i));
    }
    return sum;
  }

  template <class Scalar, class Target>
  static double with_probabilities(const Scalar* prediction, Target target, Index size,
                                   Scalar* gradient) {
    double total = 0;
    for (Index i = 0; i < size; ++i) total += static_cast<double>(prediction[i]);
    double sum = 0;
    double inner = 0;
    const auto slope = [&](Index i) {
      const double p = static_cast<double>(prediction[i]) / total;
      return detail::is_clipped(p) ? 0.0 : -target(i) / p;
    };
    for (Index i = 0; i < size; ++i) {
      const double p = static_cast<double>(prediction[i]) / total;
      sum -= target(i) * std::log(detail::clipped(p));
      inner += slope(i) * p;
    }
    for (Index i = 0; gradient && i < size; ++i) {
      gradient[i] = static_cast<Scalar>((slope(i) - inner) / total);
    }
    return sum;
  }
};

/// -log p of the right class; p = softmax(prediction) from_logits, else the predictions, kept away
/// from 0 and 1 and then scaled to the sum 1. Targets: the number of a class for each row, from 0.
///
///   model.compile(Adam{}, SparseCategoricalCrossentropy{.from_logits = true});
struct SparseCategoricalCrossentropy {
  static constexpr Targets targets = Targets::classes;
  static constexpr const char* name = "sparse_categorical_crossentropy";
  /// Whether the model's last layer has no softmax and the loss applies it. False, as in Keras:
  /// then predictions are probabilities.
  bool from_logits = false;

  [[nodiscard]] Predictions predictions() const {
    return from_logits ? Predictions::logits : Predictions::probabilities;
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    const auto right = static_cast<Index>(*target);
    if (from_logits) {
      const double log_sum = detail::log_sum_exp(prediction, size);
      for (Index i = 0; gradient && i < size; ++i) {
        const double p = std::exp(static_cast<double>(prediction[i]) - log_sum);
        gradient[i] = static_cast<Scalar>(p - (i == right ? 1 : 0));
      }
      return log_sum - static_cast<double>(prediction[right]);
    }
    double total = 0;
    for (Index i = 0; i < size; ++i) total += detail::clipped(static_cast<double>(prediction[i]));
    for (Index i = 0; gradient && i < size; ++i) {
      const double p = static_cast<double>(prediction[i]);
      const double slope = 1 / total - (i == right ? 1 / detail::clipped(p) : 0);
      gradient[i] = static_cast<Scalar>(detail::is_clipped(p) ? 0 : slope);
    }
    return std::log(total) - std::log(detail::clipped(static_cast<double>(prediction[right])));
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<MeanSquaredError> : HeldAs<HeldFigure::mean_squared_error> {};
template <>
struct Held<MeanAbsoluteError> : HeldAs<HeldFigure::mean_absolute_error> {};
template <>
struct Held<Huber> : HeldAs<HeldFigure::huber> {};
template <>
struct Held<BinaryCrossentropy> : HeldAs<HeldFigure::binary_crossentropy> {};
template <>
struct Held<CategoricalCrossentropy> : HeldAs<HeldFigure::categorical_crossentropy> {};
template <>
struct Held<SparseCategoricalCrossentropy> : HeldAs<HeldFigure::sparse_categorical_crossentropy> {};

}  // namespace strata::detail
