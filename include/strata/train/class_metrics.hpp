#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/metrics.hpp>

// Keras' metrics of classes that are no mean over rows. Targets are 0 or 1 for each output, or,
// where a comment says so, class numbers.

namespace strata::detail::inline STRATA_RUNTIME {

[[nodiscard]] inline double ratio(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

/// The right and the wrong answers to the question whether an output is 1: true positives, false
/// positives, false negatives.
struct Answers {
  double right = 0;
  double invented = 0;
  double missed = 0;
};

/// Whether the target of a row asks for output i: by its class number, or by a number for each
/// output.
template <class Scalar>
[[nodiscard]] bool is_wanted(const Scalar* target, Index target_size, Index i, Index size) {
  return target_size == 1 && size > 1 ? static_cast<Index>(*target) == i : target[i] > Scalar(0.5);
}

/// Adds the outputs of a row to three sums, of Answers. With class numbers for targets, an output
/// is taken as 1 where it is the largest. `only`: the output to look at; below 0: all.
template <class Scalar>
void add_answers(const Scalar* prediction, const Scalar* target, Index size, Index target_size,
                 double threshold, Index only, double weight, std::span<double> sums) {
  const bool is_label = target_size == 1 && size > 1;
  const Index largest = is_label ? index_of_largest(prediction, size) : 0;
  for (Index i = std::max<Index>(only, 0); i < size; ++i) {
    const bool wanted = is_wanted(target, target_size, i, size);
    const bool said = is_label ? i == largest : static_cast<double>(prediction[i]) > threshold;
    sums[0] += wanted && said ? weight : 0;
    sums[1] += !wanted && said ? weight : 0;
    sums[2] += wanted && !said ? weight : 0;
    if (only >= 0) return;
  }
}

inline void check_threshold(const char* name, double threshold) {
  check_setting(name, "threshold", threshold, threshold >= 0 && threshold <= 1, "from 0 to 1");
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The share of the outputs above the threshold whose target is 1; 0 where no output is above it.
/// Takes class numbers too: the class with the largest output is the one above the threshold.
///
///   model.compile(Adam{}, BinaryCrossentropy{}, {PrecisionScore{.threshold = 0.7}});
struct PrecisionScore {
  static constexpr const char* name = "precision";
  static constexpr Mode mode = Mode::max;
  /// From 0 to 1.
  double threshold = 0.5;
  /// The output, from 0, that alone is looked at; -1: all.
  Index class_id = -1;

  void check() const { detail::check_threshold(name, threshold); }
  [[nodiscard]] static std::size_t sum_count(Index) { return 3; }
  template <class Scalar>
  void add(const Scalar* prediction, const Scalar* target, Index size, Index target_size,
           double weight, std::span<double> sums) const {
    detail::add_answers(prediction, target, size, target_size, threshold, class_id, weight, sums);
  }
  [[nodiscard]] static double result(std::span<const double> sums) {
    return detail::ratio(sums[0], sums[0] + sums[1]);
  }
};

/// The share of the outputs whose target is 1 that are above the threshold; 0 where there is no
/// such target. Targets as of PrecisionScore.
struct RecallScore {
  static constexpr const char* name = "recall";
  static constexpr Mode mode = Mode::max;
  /// From 0 to 1.
  double threshold = 0.5;
  /// The output, from 0, that alone is looked at; -1: all.
  Index class_id = -1;

  void check() const { detail::check_threshold(name, threshold); }
  [[nodiscard]] static std::size_t sum_count(Index) { return 3; }
  template <class Scalar>
  void add(const Scalar* prediction, const Scalar* target, Index size, Index target_size,
           double weight, std::span<double> sums) const {
    detail::add_answers(prediction, target, size, target_size, threshold, class_id, weight, sums);
  }
  [[nodiscard]] static double result(std::span<const double> sums) {
    return detail::ratio(sums[0], sums[0] + sums[2]);
  }
};

/// The harmonic mean of precision and recall (Keras' F1Score). Targets as of PrecisionScore.
///
///   model.compile(Adam{}, CategoricalCrossentropy{}, {F1Score{.average =
///   F1Score::Average::weighted}});
struct F1Score {
  /// How the classes are joined: the mean over the classes; the mean weighted by how often each is
  /// right; or one score over the answers for all classes.
  enum class Average { macro, weighted, micro };
  static constexpr const char* name = "f1_score";
  static constexpr Mode mode = Mode::max;
  Average average = Average::macro;
  /// Outputs above it count as 1. Below 0, as in Keras by default, those count that are the largest
  /// of their row; a single output is compared with 0.5 then.
  double threshold = -1;

  void check() const {
    detail::check_setting(name, "threshold", threshold, threshold <= 1, "at most 1");
  }
  /// Three for each output.
  [[nodiscard]] static std::size_t sum_count(Index size) {
    return 3 * static_cast<std::size_t>(size);
  }
  template <class Scalar>
  void add(const Scalar* prediction, const Scalar* target, Index size, Index target_size,
           double weight, std::span<double> sums) const {
    const double limit =
        threshold >= 0 ? threshold
        : size == 1    ? 0.5
                       : static_cast<double>(*std::max_element(prediction, prediction + size));
    for (Index i = 0; i < size; ++i) {
      const auto value = static_cast<double>(prediction[i]);
      const bool said = threshold < 0 && size > 1 ? value >= limit : value > limit;
      const bool wanted = detail::is_wanted(target, target_size, i, size);
      const std::span<double> own = sums.subspan(3 * static_cast<std::size_t>(i), 3);
      own[0] += wanted && said ? weight : 0;
      own[1] += !wanted && said ? weight : 0;
      own[2] += wanted && !said ? weight : 0;
    }
  }
  [[nodiscard]] double result(std::span<const double> sums) const {
    const auto score = [](double right, double invented, double missed) {
      return detail::ratio(2 * right, 2 * right + invented + missed);
    };
    double sum = 0, weights = 0, right = 0, invented = 0, missed = 0;
    for (std::size_t i = 0; i < sums.size(); i += 3) {
      const double weight = average == Average::weighted ? sums[i] + sums[i + 2] : 1;
      sum += weight * score(sums[i], sums[i + 1], sums[i + 2]);
      weights += weight;
      right += sums[i];
      invented += sums[i + 1];
      missed += sums[i + 2];
    }
    return average == Average::micro ? score(right, invented, missed) : detail::ratio(sum, weights);
  }
};

/// The area under a curve over all thresholds (Keras' AUC, by the trapezoidal rule for ROC and by
/// interpolation of Davis & Goadrich 2006 for PR). All outputs are looked at together. Targets: 0
/// or 1 for each output, which is a probability.
///
///   model.compile(Adam{}, BinaryCrossentropy{}, {AUC{}});
struct AUC {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "auc";
  /// Recall over the share of false alarms, or precision over recall.
  enum class Curve { roc, pr };
  static constexpr Mode mode = Mode::max;
  Curve curve = Curve::roc;
  /// At least 2. Keras' default; the area is exact to about its inverse.
  Index thresholds = 200;

  void check() const {
    detail::check_setting(name, "thresholds", static_cast<double>(thresholds),
                          thresholds >= 2 && thresholds <= 1'000'000, "from 2 to 1000000");
  }
  /// For each threshold the outputs above it, of targets 1 and of targets 0; then all of both.
  [[nodiscard]] std::size_t sum_count(Index) const {
    return 2 * static_cast<std::size_t>(thresholds) + 2;
  }
  template <class Scalar>
  void add(const Scalar* prediction, const Scalar* target, Index size, Index, double weight,
           std::span<double> sums) const {
    const auto count = static_cast<std::size_t>(thresholds);
    for (Index i = 0; i < size; ++i) {
      const std::size_t kind = target[i] > Scalar(0.5) ? 0 : 1;
      sums[2 * count + kind] += weight;
      // Threshold k is k / (count - 1), the first a little below 0 and the last a little above 1.
      // The sums hold for each the outputs that are above it and not above the next.
      const double place = static_cast<double>(prediction[i]) * static_cast<double>(count - 1);
      const double last = std::ceil(place) - 1;
      const auto k =
          static_cast<std::size_t>(std::clamp(last, 0.0, static_cast<double>(count) - 2));
      sums[2 * k + kind] += weight;
    }
  }
  [[nodiscard]] double result(std::span<const double> sums) const {
    const auto count = static_cast<std::size_t>(thresholds);
    const double positives = sums[2 * count], negatives = sums[2 * count + 1];
    double area = 0, above = 0, above_wrong = 0;
    for (std::size_t k = count; k-- > 0;) {
      const double right = above + sums[2 * k], wrong = above_wrong + sums[2 * k + 1];
      if (curve == Curve::roc) {
        area += detail::ratio(wrong - above_wrong, negatives) *
                (detail::ratio(right, positives) + detail::ratio(above, positives)) / 2;
      } else {
        const double all = right + wrong, all_before = above + above_wrong;
        const double slope = detail::ratio(right - above, (std::max)(all - all_before, 0.0));
        const double intercept = right - slope * all;
        const double log_ratio =
            all_before > 0 && all > 0 ? std::log(detail::ratio(all, all_before)) : 0;
        area += detail::ratio(slope * (right - above + intercept * log_ratio),
                              (std::max)(positives, 0.0));
      }
      above = right;
      above_wrong = wrong;
    }
    return area;
  }
};

/// The share of rows whose right class is among the `k` largest outputs. Targets: class numbers, or
/// a probability for each class, of which the largest is the right class.
///
///   model.compile(Adam{}, SparseCategoricalCrossentropy{}, {TopKAccuracy{.k = 3}});
struct TopKAccuracy {
  static constexpr const char* name = "top_k_accuracy";
  static constexpr Mode mode = Mode::max;
  /// At least 1. Keras' default.
  Index k = 5;

  void check() const {
    detail::check_setting(name, "k", static_cast<double>(k), k >= 1, "at least 1");
  }
  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Index target_size) const {
    const Index right = target_size == 1 && size > 1 ? static_cast<Index>(*target)
                                                     : detail::index_of_largest(target, size);
    const auto larger = std::count_if(prediction, prediction + size,
                                      [&](Scalar value) { return value > prediction[right]; });
    return larger < k;
  }
};

}  // namespace strata::inline STRATA_RUNTIME
