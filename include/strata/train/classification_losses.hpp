#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <strata/base/settings.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/losses.hpp>
#include <strata/train/regression_losses.hpp>

// Keras' losses of classes beside those of losses.hpp, with Keras' formulas and limits. Each serves
// as a metric too.

namespace strata::detail::inline STRATA_RUNTIME {

/// A target of a hinge loss, where 0 stands for -1 as in Keras.
[[nodiscard]] inline double hinge_sign(double target) { return target == 0 ? -1 : target; }

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The sum of t log(t / p) over the classes: how far the probabilities p are from the targets t.
/// Both count as at least 1e-7 and at most 1. Targets: a probability for each class.
struct KLDivergence {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "kl_divergence";

  [[nodiscard]] static Predictions predictions() { return Predictions::probabilities; }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    const auto limited = [](Scalar value) {
      return std::clamp(static_cast<double>(value), detail::keras_epsilon, 1.0);
    };
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double t = limited(target[i]), p = limited(prediction[i]);
      sum += t * std::log(t / p);
      const bool is_limited = static_cast<double>(prediction[i]) != p;
      if (gradient) gradient[i] = static_cast<Scalar>(is_limited ? 0 : -t / p);
    }
    return sum;
  }
};

/// Cross-entropy in which examples that are easy weigh less, by (1 - p_t)^gamma, where p_t is the
/// probability of the right answer (Lin et al. 2017, "Focal loss for dense object detection"); the
/// mean over the features. Targets: a value from 0 to 1 for each output.
///
///   model.compile(Adam{}, BinaryFocalCrossentropy{.gamma = 2});
struct BinaryFocalCrossentropy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "binary_focal_crossentropy";
  static constexpr const char* target_range = "from 0 to 1";
  /// At least 0; 0 is cross-entropy. Keras' and the paper's default.
  double gamma = 2;
  /// Whether class 1 weighs alpha and class 0 weighs 1 - alpha.
  bool apply_class_balancing = false;
  /// From 0 to 1. Keras' and the paper's default.
  double alpha = 0.25;
  /// Whether the model's last layer has no sigmoid and the loss applies it.
  bool from_logits = false;
  /// The share, from 0 to 1, by which targets move towards 0.5.
  double label_smoothing = 0;

  /// Throws ValueError on settings out of range.
  void check() const {
    detail::check_setting(name, "gamma", gamma, gamma >= 0, "at least 0 and finite");
    detail::check_setting(name, "alpha", alpha, alpha >= 0 && alpha <= 1, "from 0 to 1");
    detail::check_label_smoothing(name, label_smoothing);
  }
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
          const double raw = from_logits ? 1 / (1 + std::exp(-value)) : value;
          const double p = detail::clipped(raw);
          // As in Keras, the limits of the probability are those of the logarithms alone.
          const double wrong = 1 - (t * raw + (1 - t) * (1 - raw));
          const double focus = std::pow(wrong, gamma);
          const double entropy = -(t * std::log(p) + (1 - t) * std::log(1 - p));
          const double balance = apply_class_balancing ? t * alpha + (1 - t) * (1 - alpha) : 1;
          const double dfocus = gamma == 0 ? 0 : gamma * std::pow(wrong, gamma - 1) * (1 - 2 * t);
          const double dentropy = detail::is_clipped(raw) ? 0 : (p - t) / (p * (1 - p));
          slope = balance * (dfocus * entropy + focus * dentropy);
          if (from_logits) slope *= raw * (1 - raw);
          return balance * focus * entropy;
        });
  }
};

/// alpha (1 - p)^gamma times the cross-entropy of each class, the sum over the classes (Lin et al.
/// 2017). Targets: a probability for each class.
///
///   model.compile(Adam{}, CategoricalFocalCrossentropy{.gamma = 2});
struct CategoricalFocalCrossentropy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "categorical_focal_crossentropy";
  /// At least 0. Keras' and the paper's defaults.
  double alpha = 0.25;
  double gamma = 2;
  /// Whether the model's last layer has no softmax and the loss applies it. Otherwise predictions
  /// are at least 0, and are scaled to the sum 1.
  bool from_logits = false;
  /// The share, from 0 to 1, by which targets move towards equal probabilities.
  double label_smoothing = 0;

  /// Throws ValueError on settings out of range.
  void check() const {
    detail::check_setting(name, "gamma", gamma, gamma >= 0, "at least 0 and finite");
    detail::check_setting(name, "alpha", alpha, alpha >= 0, "at least 0 and finite");
    detail::check_label_smoothing(name, label_smoothing);
  }
  [[nodiscard]] Predictions predictions() const {
    return from_logits ? Predictions::logits : Predictions::shares;
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    double total = 0;
    const double log_sum = from_logits ? detail::log_sum_exp(prediction, size) : 0;
    for (Index i = 0; !from_logits && i < size; ++i) total += static_cast<double>(prediction[i]);
    const auto share = [&](Index i) {
      const auto value = static_cast<double>(prediction[i]);
      return from_logits ? std::exp(value - log_sum) : value / total;
    };
    double sum = 0;
    double inner = 0;  // of the slopes by the shares, with the shares
    // The derivative by the share of class i.
    const auto slope = [&](Index i, double& value) {
      const double t = static_cast<double>(target[i]) * (1 - label_smoothing) +
                       label_smoothing / static_cast<double>(size);
      const double p = detail::clipped(share(i));
      const double focus = alpha * std::pow(1 - p, gamma);
      value = -t * std::log(p) * focus;
      if (detail::is_clipped(share(i))) return 0.0;
      const double dfocus = gamma == 0 ? 0 : -alpha * gamma * std::pow(1 - p, gamma - 1);
      return -t * (focus / p + std::log(p) * dfocus);
    };
    for (Index i = 0; i < size; ++i) {
      double value = 0;
      inner += slope(i, value) * share(i);
      sum += value;
    }
    for (Index i = 0; gradient && i < size; ++i) {
      double value = 0;
      const double by_share = slope(i, value) - inner;
      gradient[i] = static_cast<Scalar>(from_logits ? share(i) * by_share : by_share / total);
    }
    return sum;
  }
};

/// max(1 - target prediction, 0), the mean over the features: the loss of support vector machines.
/// Targets: -1 or 0 for one class and 1 for the other, for each output.
struct Hinge {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "hinge";
  static constexpr const char* target_range = "-1, 0 or 1";

  template <class Scalar>
  [[nodiscard]] static bool takes(Scalar target) {
    return target == Scalar(-1) || target == Scalar(0) || target == Scalar(1);
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(prediction, target, size, gradient,
                                      [](double y, double t, double& slope) {
                                        const double sign = detail::hinge_sign(t);
                                        const double missing = 1 - sign * y;
                                        slope = missing >= 0 ? -sign : 0;
                                        return (std::max)(missing, 0.0);
                                      });
  }
};

/// max(1 - target prediction, 0)^2, the mean over the features. Targets as of Hinge.
struct SquaredHinge {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "squared_hinge";
  static constexpr const char* target_range = Hinge::target_range;

  template <class Scalar>
  [[nodiscard]] static bool takes(Scalar target) {
    return Hinge::takes(target);
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    return detail::mean_over_features(prediction, target, size, gradient,
                                      [](double y, double t, double& slope) {
                                        const double sign = detail::hinge_sign(t);
                                        const double missing = (std::max)(1 - sign * y, 0.0);
                                        slope = -2 * sign * missing;
                                        return missing * missing;
                                      });
  }
};

/// max(1 + the largest prediction of a wrong class - that of the right class, 0). Targets: 1 for
/// the right class and 0 for all others.
struct CategoricalHinge {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "categorical_hinge";
  static constexpr const char* target_range = "from 0 to 1";

  template <class Scalar>
  [[nodiscard]] static bool takes(Scalar target) {
    return target >= Scalar(0) && target <= Scalar(1);
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    double right = 0;
    Index wrong = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (Index i = 0; i < size; ++i) {
      const auto y = static_cast<double>(prediction[i]), t = static_cast<double>(target[i]);
      right += t * y;
      if ((1 - t) * y > largest) {
        largest = (1 - t) * y;
        wrong = i;
      }
    }
    const double missing = largest - right + 1;
    for (Index i = 0; gradient && i < size; ++i) {
      const auto t = static_cast<double>(target[i]);
      const double slope = (i == wrong ? 1 - t : 0) - t;
      gradient[i] = static_cast<Scalar>(missing >= 0 ? slope : 0);
    }
    return (std::max)(missing, 0.0);
  }
};

}  // namespace strata::inline STRATA_RUNTIME
