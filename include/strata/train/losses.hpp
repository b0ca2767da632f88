#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/target.hpp>
#include <strata/train/loss.hpp>

// Keras' losses, with Keras' formulas and limits. Probabilities are kept at 1e-7 from 0 and 1,
// where their derivatives are zero; logits are stable at any size.

namespace strata::inline STRATA_TARGET {

namespace detail {

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

/// log of the sum of the exponentials.
template <class Scalar>
[[nodiscard]] double log_sum_exp(const Scalar* logits, Index size) {
  const double largest = static_cast<double>(*std::max_element(logits, logits + size));
  double sum = 0;
  for (Index i = 0; i < size; ++i) sum += std::exp(static_cast<double>(logits[i]) - largest);
  return largest + std::log(sum);
}

}  // namespace detail

/// The mean of (prediction - target)^2 over the features.
struct MeanSquaredError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mse";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double error = static_cast<double>(prediction[i]) - static_cast<double>(target[i]);
      sum += error * error;
      if (gradient) gradient[i] = static_cast<Scalar>(2 * error / static_cast<double>(size));
    }
    return sum / static_cast<double>(size);
  }
};

/// The mean of |prediction - target| over the features.
struct MeanAbsoluteError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mae";

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double error = static_cast<double>(prediction[i]) - static_cast<double>(target[i]);
      const double sign = error > 0 ? 1 : error < 0 ? -1 : 0;
      sum += std::abs(error);
      if (gradient) gradient[i] = static_cast<Scalar>(sign / static_cast<double>(size));
    }
    return sum / static_cast<double>(size);
  }
};

/// Huber 1964: half the square of errors up to delta, linear beyond.
struct Huber {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "huber";
  double delta = 1;

  /// Throws ValueError on a delta that is not above 0 and finite.
  void check() const {
    detail::check_setting(name, "delta", delta, delta > 0, "above 0 and finite");
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double error = static_cast<double>(prediction[i]) - static_cast<double>(target[i]);
      const double distance = std::abs(error);
      sum += distance <= delta ? 0.5 * error * error : delta * distance - 0.5 * delta * delta;
      const double slope = std::clamp(error, -delta, delta);
      if (gradient) gradient[i] = static_cast<Scalar>(slope / static_cast<double>(size));
    }
    return sum / static_cast<double>(size);
  }
};

/// -t log p - (1 - t) log(1 - p), the mean over the features; p = sigmoid(prediction) from_logits.
/// Targets are from 0 to 1.
struct BinaryCrossentropy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "binary_crossentropy";
  static constexpr const char* target_range = "from 0 to 1";
  bool from_logits = false;
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
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double t =
          static_cast<double>(target[i]) * (1 - label_smoothing) + 0.5 * label_smoothing;
      const double value = static_cast<double>(prediction[i]);
      double slope = 0;
      if (from_logits) {
        sum += std::max(value, 0.0) - value * t + std::log1p(std::exp(-std::abs(value)));
        slope = 1 / (1 + std::exp(-value)) - t;
      } else {
        const double p = detail::clipped(value);
        sum -= t * std::log(p) + (1 - t) * std::log(1 - p);
        if (!detail::is_clipped(value)) slope = (p - t) / (p * (1 - p));
      }
      if (gradient) gradient[i] = static_cast<Scalar>(slope / static_cast<double>(size));
    }
    return sum / static_cast<double>(size);
  }
};

/// -sum of t log p over the classes. p = softmax(prediction) from_logits; otherwise the
/// predictions, scaled to the sum 1.
struct CategoricalCrossentropy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "categorical_crossentropy";
  bool from_logits = false;
  double label_smoothing = 0;

  /// Throws ValueError on a smoothing outside 0 to 1.
  void check() const { detail::check_label_smoothing(name, label_smoothing); }
  [[nodiscard]] Predictions predictions() const {
    return from_logits ? Predictions::logits : Predictions::shares;
  }
  /// Targets that are no probabilities, which Keras takes too.
  template <class Scalar>
  [[nodiscard]] std::string doubt(const Scalar* target, Index size) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      sum += static_cast<double>(target[i]);
      if (target[i] < Scalar(0)) {
        return detail::message({"a target is ", target[i], ", but probabilities are at least 0"});
      }
    }
    // Probabilities that were written with three digits.
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

/// -log p of the right class, whose number is the target. p = softmax(prediction) from_logits;
/// otherwise the predictions, kept off 0 and 1 and then scaled to the sum 1.
struct SparseCategoricalCrossentropy {
  static constexpr Targets targets = Targets::classes;
  static constexpr const char* name = "sparse_categorical_crossentropy";
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

}  // namespace strata::inline STRATA_TARGET
