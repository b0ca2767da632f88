#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/losses.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
[[nodiscard]] Index index_of_largest(const Scalar* values, Index size) {
  return static_cast<Index>(std::max_element(values, values + size) - values);
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The share of the features of a row whose prediction, taken as 1 above the threshold and as 0
/// below it, is the target.
///
///   model.compile(Adam{}, BinaryCrossentropy{}, {BinaryAccuracy{.threshold = 0.7}});
struct BinaryAccuracy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "binary_accuracy";
  static constexpr Mode mode = Mode::max;
  /// 0.5: the more probable class counts as the predicted one.
  double threshold = 0.5;

  /// Throws ValueError on a threshold that is not finite.
  void check() const { detail::check_setting(name, "threshold", threshold, true, "finite"); }
  /// A sentence about targets other than 0 and 1: no prediction is right for them, since
  /// predictions count as 0 or 1.
  template <class Scalar>
  [[nodiscard]] static std::string doubt(const Scalar* target, Index size, Index) {
    for (Index i = 0; i < size; ++i) {
      if (target[i] == Scalar(0) || target[i] == Scalar(1)) continue;
      return detail::message({"takes predictions for 0 or 1, but a target is ", target[i]});
    }
    return {};
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    Index right = 0;
    for (Index i = 0; i < size; ++i) {
      right +=
          (static_cast<double>(prediction[i]) > threshold ? Scalar(1) : Scalar(0)) == target[i];
    }
    return static_cast<double>(right) / static_cast<double>(size);
  }
};

/// 1 where the largest prediction of a row is at its largest target, else 0.
struct CategoricalAccuracy {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "categorical_accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    return detail::index_of_largest(prediction, size) == detail::index_of_largest(target, size);
  }
};

/// 1 where the largest prediction of a row is at the class whose number is the target, else 0.
struct SparseCategoricalAccuracy {
  static constexpr Targets targets = Targets::classes;
  static constexpr const char* name = "sparse_categorical_accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    return static_cast<Scalar>(detail::index_of_largest(prediction, size)) == *target;
  }
};

/// Keras' "accuracy": binary for one output, sparse for one target among several outputs,
/// categorical otherwise.
struct Accuracy {
  static constexpr const char* name = "accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Index target_size) const {
    if (size == 1) return BinaryAccuracy{}(prediction, target, size, target_size);
    if (target_size == 1) {
      return SparseCategoricalAccuracy{}(prediction, target, size, target_size);
    }
    return CategoricalAccuracy{}(prediction, target, size, target_size);
  }

  /// A sentence about a target that is one number but neither 0 nor 1, or several numbers of which
  /// none stands for a class.
  template <class Scalar>
  [[nodiscard]] static std::string doubt(const Scalar* target, Index size, Index target_size) {
    if (size == 1) return BinaryAccuracy::doubt(target, size, target_size);
    if (target_size == 1) return {};
    return CategoricalCrossentropy{}.doubt(target, size);
  }
};

/// The root of the mean squared error over all rows and features.
struct RootMeanSquaredError {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "root_mean_squared_error";
  static constexpr Mode mode = Mode::min;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    return MeanSquaredError{}(prediction, target, size, static_cast<Scalar*>(nullptr));
  }

  [[nodiscard]] static double finish(double mean) { return std::sqrt(mean); }
};

/// A figure of one row of outputs: metric(prediction, target, size, target_size), of `size` outputs
/// and `target_size` targets. The logs have its mean over all rows, or finish(mean) where the
/// metric has `double finish(double) const`.
///
/// A metric may have more members:
/// - `static constexpr Mode mode`: which way the figure gets better, for callbacks that monitor it.
/// - `targets`, as in a loss. Without it the metric must work with `target_size` numbers of any
///   kind.
/// - `void check() const` throws ValueError on settings that make no sense.
/// - `std::string doubt(target, size, target_size) const`: a sentence about targets of a row that
///   may be a mistake, which training gives as a warning; with a loss of plain values training
///   refuses such targets.
template <class M, class Scalar>
concept MetricFunction = requires(const M& metric, const Scalar* values, Index size) {
  { metric(values, values, size, size) } -> std::convertible_to<double>;
  { M::name } -> std::convertible_to<std::string>;
};

/// Any metric, chosen at run time. A loss serves as a metric too.
template <class Scalar>
class Metric {
 public:
  /// Throws ValueError on settings that the metric refuses.
  template <class M>
    requires(!std::same_as<M, Metric> && (MetricFunction<M, Scalar> || LossFunction<M, Scalar>))
  Metric(M metric) : Metric(std::move(metric), M::name) {}

  /// A metric under another name, for two metrics of one kind: {BinaryAccuracy{},
  /// {BinaryAccuracy{.threshold = 0.7}, "accuracy_at_70"}}.
  template <class M>
    requires(!std::same_as<M, Metric> && (MetricFunction<M, Scalar> || LossFunction<M, Scalar>))
  Metric(M metric, std::string name)
      : self_(std::make_shared<Model<M>>(std::move(metric))), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The kind of targets that the metric compares outputs with; empty where it takes both kinds.
  [[nodiscard]] std::optional<Targets> targets() const { return self_->targets(); }
  /// A sentence about targets of a row that may be a mistake; empty for other targets.
  [[nodiscard]] std::string doubt(const Scalar* target, Index size, Index target_size) const {
    return self_->doubt(target, size, target_size);
  }
  [[nodiscard]] Mode mode() const { return self_->mode(); }

  /// The sum of the figure over all rows; of sequences, over the steps that count.
  [[nodiscard]] double sum(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                           const Mask& mask = {}) const {
    const Index rows = prediction.batch() * prediction.steps();
    double sum = 0;
    for (Index row = 0; row < rows; ++row) {
      if (!mask.empty() && !mask(row / mask.steps(), row % mask.steps())) continue;
      sum += self_->row(prediction.data() + row * prediction.features(),
                        target.data() + row * (target.size() / rows), prediction.features(),
                        target.size() / rows);
    }
    return sum;
  }
  [[nodiscard]] double finish(double mean) const { return self_->finish(mean); }

 private:
  struct Base {
    virtual ~Base() = default;
    [[nodiscard]] virtual Mode mode() const = 0;
    [[nodiscard]] virtual std::optional<Targets> targets() const = 0;
    [[nodiscard]] virtual std::string doubt(const Scalar* target, Index size,
                                            Index target_size) const = 0;
    [[nodiscard]] virtual double row(const Scalar* prediction, const Scalar* target, Index size,
                                     Index target_size) const = 0;
    [[nodiscard]] virtual double finish(double mean) const = 0;
  };

  template <class M>
  struct Model final : Base {
    explicit Model(M value) : metric(std::move(value)) { detail::check_settings(metric); }

    Mode mode() const override {
      if constexpr (requires {
                      { metric.mode } -> std::convertible_to<Mode>;
                    }) {
        return metric.mode;
      } else {
        return LossFunction<M, Scalar> ? Mode::min : Mode::automatic;
      }
    }
    std::optional<Targets> targets() const override {
      if constexpr (requires {
                      { M::targets } -> std::convertible_to<Targets>;
                    }) {
        return M::targets;
      } else {
        return std::nullopt;
      }
    }
    std::string doubt([[maybe_unused]] const Scalar* target, [[maybe_unused]] Index size,
                      [[maybe_unused]] Index target_size) const override {
      if constexpr (requires { metric.doubt(target, size, target_size); }) {
        return metric.doubt(target, size, target_size);
      } else {
        return {};
      }
    }
    double row(const Scalar* prediction, const Scalar* target, Index size,
               Index target_size) const override {
      if constexpr (LossFunction<M, Scalar>) {
        return metric(prediction, target, size, static_cast<Scalar*>(nullptr));
      } else {
        return metric(prediction, target, size, target_size);
      }
    }
    double finish(double mean) const override {
      if constexpr (requires { metric.finish(mean); })
        return metric.finish(mean);
      else
        return mean;
    }

    M metric;
  };

  std::shared_ptr<const Base> self_;
  std::string name_;
};

}  // namespace strata::inline STRATA_RUNTIME
