#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/loss.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

template <class Scalar>
[[nodiscard]] Index index_of_largest(const Scalar* values, Index size) {
  return static_cast<Index>(std::max_element(values, values + size) - values);
}

}  // namespace detail

/// The share of features on the right side of the threshold.
struct BinaryAccuracy {
  static constexpr const char* name = "binary_accuracy";
  static constexpr Mode mode = Mode::max;
  double threshold = 0.5;

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

/// Whether the largest prediction is at the largest target.
struct CategoricalAccuracy {
  static constexpr const char* name = "categorical_accuracy";
  static constexpr Mode mode = Mode::max;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    return detail::index_of_largest(prediction, size) == detail::index_of_largest(target, size);
  }
};

/// Whether the largest prediction is at the class whose number is the target.
struct SparseCategoricalAccuracy {
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
};

/// The root of the mean squared error over all rows and features.
struct RootMeanSquaredError {
  static constexpr const char* name = "root_mean_squared_error";
  static constexpr Mode mode = Mode::min;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size, Index) const {
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double error = static_cast<double>(prediction[i]) - static_cast<double>(target[i]);
      sum += error * error;
    }
    return sum / static_cast<double>(size);
  }

  [[nodiscard]] static double finish(double mean) { return std::sqrt(mean); }
};

/// A figure of one row of outputs, of which the mean over all rows is told: metric(prediction,
/// target, size, target_size). `finish`, if there is one, is applied to the mean. A member `mode`
/// says which way the figure gets better, for callbacks that monitor it.
template <class M, class Scalar>
concept MetricFunction = requires(const M& metric, const Scalar* values, Index size) {
  { metric(values, values, size, size) } -> std::convertible_to<double>;
  { M::name } -> std::convertible_to<std::string>;
};

/// Any metric, chosen at run time. A loss serves as a metric too.
template <class Scalar>
class Metric {
 public:
  template <class M>
    requires(!std::same_as<M, Metric> && (MetricFunction<M, Scalar> || LossFunction<M, Scalar>))
  Metric(M metric) : self_(std::make_shared<Model<M>>(std::move(metric))) {}

  [[nodiscard]] std::string name() const { return self_->name(); }
  [[nodiscard]] Mode mode() const { return self_->mode(); }

  /// The sum over all rows, of sequences over the steps that count.
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
    [[nodiscard]] virtual std::string name() const = 0;
    [[nodiscard]] virtual Mode mode() const = 0;
    [[nodiscard]] virtual double row(const Scalar* prediction, const Scalar* target, Index size,
                                     Index target_size) const = 0;
    [[nodiscard]] virtual double finish(double mean) const = 0;
  };

  template <class M>
  struct Model final : Base {
    explicit Model(M value) : metric(std::move(value)) {}

    std::string name() const override { return M::name; }
    Mode mode() const override {
      if constexpr (requires {
                      { metric.mode } -> std::convertible_to<Mode>;
                    }) {
        return metric.mode;
      } else {
        return LossFunction<M, Scalar> ? Mode::min : Mode::automatic;
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
};

}  // namespace strata::inline STRATA_TARGET
