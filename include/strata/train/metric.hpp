#pragma once

#include <cmath>
#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/mask.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/loss.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A figure of one row of outputs: metric(prediction, target, size, target_size), of `size` outputs
/// and `target_size` targets. The logs have its mean over all rows, or finish(mean) where the
/// metric has `double finish(double) const`.
///
/// A metric has a `name`, static or not, or is given one: {metric, "name"}; a lambda or a function
/// will do. It may have more members:
/// - `static constexpr Mode mode`: which way the figure gets better, for callbacks that monitor it.
/// - `targets` and `target_shape`, as in a loss. Without them the metric must work with
///   `target_size` numbers of any kind.
/// - `void check() const` throws ValueError on settings that make no sense.
/// - `std::string doubt(target, size, target_size) const`: a sentence about targets of a row that
///   may be a mistake, which training gives as a warning; with a loss of plain values training
///   refuses such targets.
template <class M, class Scalar>
concept MetricFunction = requires(const M& metric, const Scalar* values, Index size) {
  { metric(values, values, size, size) } -> std::convertible_to<double>;
};

/// A figure of one sample as a whole: metric(prediction, counts, target), with the arguments of a
/// SequenceLoss, and target_shape(output) as there. The logs have its mean over the samples, or
/// finish(mean), or, where the metric has `double weight(prediction, counts, target) const`, the
/// sum of the figure over the sum of the weights.
template <class M, class Scalar>
concept SequenceMetric = requires(const M& metric, SequenceView<const Scalar> values,
                                  std::span<const bool> counts, const Shape& output) {
  { metric(values, counts, values) } -> std::convertible_to<double>;
  { metric.target_shape(output) } -> std::convertible_to<Shape>;
};

/// A figure that is no mean over rows, such as the precision or the area under a curve: it is
/// computed at the end of an epoch from sums over all rows. metric.sum_count(size) is how many sums
/// it needs for rows of `size` outputs; metric.add(prediction, target, size, target_size, weight,
/// sums) adds a row to them, which are zeros at first, and metric.result(sums) returns the figure.
/// It may have the other members of a MetricFunction.
///
///   struct Specificity {
///     static constexpr const char* name = "specificity";
///     static constexpr Mode mode = Mode::max;
///     std::size_t sum_count(Index) const { return 2; }
///     void add(const float* prediction, const float* target, Index, Index, double weight,
///              std::span<double> sums) const {
///       if (*target != 0) return;
///       sums[0] += *prediction <= 0.5f ? weight : 0;
///       sums[1] += weight;
///     }
///     double result(std::span<const double> sums) const { return sums[0] / sums[1]; }
///   };
template <class M, class Scalar>
concept EpochMetric = requires(const M& metric, const Scalar* values, Index size,
                               std::span<double> sums, std::span<const double> all) {
  { metric.sum_count(size) } -> std::convertible_to<std::size_t>;
  metric.add(values, values, size, size, 1.0, sums);
  { metric.result(all) } -> std::convertible_to<double>;
};

/// What compile takes for a metric. A loss serves as one too.
template <class M, class Scalar>
concept AnyFigure = MetricFunction<M, Scalar> || SequenceMetric<M, Scalar> ||
    EpochMetric<M, Scalar> || LossFunction<M, Scalar>;

/// A metric in which each sample or step weighs as much as in the loss: by .sample_weight and
/// .class_weight. Without it a metric takes all alike, as Keras' `metrics` do; this is one of
/// Keras' `weighted_metrics`, and is named "weighted_" and the name of the metric.
///
///   model.compile(Adam{}, BinaryCrossentropy{}, {BinaryAccuracy{}, Weighted{BinaryAccuracy{}}});
template <class M>
struct Weighted {
  M metric;
  std::string name = "weighted_" + detail::name_of(metric, "metric");
};
template <class M>
Weighted(M) -> Weighted<M>;
template <class M>
Weighted(M, std::string) -> Weighted<M>;

/// The sum of a figure over rows or samples, and the sum of their weights.
struct FigureSum {
  double sum = 0;
  double weight = 0;

  /// Adds the value of a row or sample, and its part in the sum of weights, both times `factor`.
  void add(double value, double own_weight, double factor) {
    // Rounded once, with every instruction set.
    sum = std::fma(factor, value, sum);
    weight = std::fma(factor, own_weight, weight);
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// A metric of any type, with its settings.
template <class Scalar>
struct AnyMetric {
  virtual ~AnyMetric() = default;
  [[nodiscard]] virtual Mode mode() const = 0;
  [[nodiscard]] virtual std::optional<Targets> targets() const = 0;
  [[nodiscard]] virtual std::string doubt(const Scalar* target, Index size,
                                          Index target_size) const = 0;
  /// The shape of y for outputs of a shape; of rank 0 where the metric takes targets of any kind,
  /// one row for each row of outputs.
  [[nodiscard]] virtual Shape target_shape(const Shape& output) const = 0;
  /// The sums over the rows that count, or over the samples, from which `result` computes the
  /// figure.
  [[nodiscard]] virtual std::vector<double> sums(const Tensor<Scalar>& prediction,
                                                 const Tensor<Scalar>& target, const Mask& mask,
                                                 const SampleWeights<Scalar>& weights) const = 0;
  [[nodiscard]] virtual double result(std::span<const double> sums) const = 0;
};

template <class M, class Scalar>
struct MetricOf final : AnyMetric<Scalar> {
  static constexpr bool is_loss = LossFunction<M, Scalar>;
  static constexpr bool is_of_epoch = EpochMetric<M, Scalar>;
  static constexpr bool is_of_rows = MetricFunction<M, Scalar> || RowLoss<M, Scalar> || is_of_epoch;

  explicit MetricOf(M value) : metric(std::move(value)) { check_settings(metric); }

  Mode mode() const override {
    if constexpr (requires {
                    { metric.mode } -> std::convertible_to<Mode>;
                  }) {
      return metric.mode;
    } else {
      return is_loss ? Mode::min : Mode::automatic;
    }
  }
  std::optional<Targets> targets() const override {
    if constexpr (requires {
                    { metric.targets } -> std::convertible_to<Targets>;
                  }) {
      return metric.targets;
    } else {
      return std::nullopt;
    }
  }
  Shape target_shape(const Shape& output) const override {
    if constexpr (!is_of_rows || requires { metric.target_shape(output); }) {
      return metric.target_shape(output);
    } else if (targets()) {
      return target_shape_of(metric, *targets(), output);
    } else {
      return {};
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
  std::vector<double> sums(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                           const Mask& mask, const SampleWeights<Scalar>& weights) const override {
    if constexpr (is_of_epoch) {
      std::vector<double> all(metric.sum_count(prediction.features()), 0.0);
      for_each_row(
          prediction, target, mask, weights,
          [&](const Scalar* y, const Scalar* wanted, Index size, Index target_size, double weight) {
            metric.add(y, wanted, size, target_size, weight, std::span<double>(all));
          });
      return all;
    } else {
      FigureSum all;
      if constexpr (is_of_rows) {
        for_each_row(
            prediction, target, mask, weights,
            [&](const Scalar* y, const Scalar* wanted, Index size, Index target_size,
                double weight) { all.add(value_of(y, wanted, size, target_size), 1, weight); });
      } else {
        all = sum_of_samples(prediction, target, mask, weights);
      }
      return {all.sum, all.weight};
    }
  }
  double result(std::span<const double> sums) const override {
    if constexpr (is_of_epoch) {
      return metric.result(sums);
    } else {
      const double mean = sums[1] == 0 ? 0 : sums[0] / sums[1];
      if constexpr (requires { metric.finish(mean); }) {
        return metric.finish(mean);
      } else {
        return mean;
      }
    }
  }

 private:
  double value_of(const Scalar* y, const Scalar* wanted, Index size,
                  [[maybe_unused]] Index target_size) const {
    if constexpr (is_loss) {
      return metric(y, wanted, size, static_cast<Scalar*>(nullptr));
    } else {
      return metric(y, wanted, size, target_size);
    }
  }

  /// Calls f(prediction, target, size, target size, weight) for each row that counts.
  template <class F>
  static void for_each_row(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                           const Mask& mask, const SampleWeights<Scalar>& weights, F f) {
    const Index rows = prediction.batch() * prediction.steps();
    const Index size = prediction.features();
    const Index target_size = target.size() / rows;
    for (Index row = 0; row < rows; ++row) {
      const Index sample = row / prediction.steps();
      const Index step = row % prediction.steps();
      if (!mask.empty() && !mask(sample, step)) continue;
      f(prediction.data() + row * size, target.data() + row * target_size, size, target_size,
        weights.empty() ? 1.0 : static_cast<double>(weights(sample, step)));
    }
  }

  FigureSum sum_of_samples(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                           const Mask& mask, const SampleWeights<Scalar>& weights) const {
    FigureSum all;
    for (Index b = 0; b < prediction.batch(); ++b) {
      const SequenceView<const Scalar> y = sample_of(prediction, b);
      const SequenceView<const Scalar> wanted = sample_of(target, b);
      const CountedSteps counts(mask, b, y.steps());
      const double weight = weights.empty() ? 1 : static_cast<double>(weights(b, 0));
      double value = 0;
      if constexpr (is_loss) {
        value = metric(y, counts.flags(), wanted, SequenceView<Scalar>());
      } else {
        value = metric(y, counts.flags(), wanted);
      }
      double own_weight = 1;
      if constexpr (requires { metric.weight(y, counts.flags(), wanted); }) {
        own_weight = metric.weight(y, counts.flags(), wanted);
      }
      all.add(value, own_weight, weight);
    }
    return all;
  }

  M metric;
};

/// A metric, or a loss as one, that strata::compiled holds, for the processor in use. `settings`
/// points to the metric.
template <class Scalar>
[[nodiscard]] std::shared_ptr<const AnyMetric<Scalar>> held_metric(int number,
                                                                   const void* settings);

/// Fails to compile, with the member that is missing, where M is no metric.
template <class Scalar, class M>
constexpr void require_metric() {
  constexpr bool adds =
      requires(const M& metric, const Scalar* values, Index size, std::span<double> sums) {
    metric.add(values, values, size, size, 1.0, sums);
  };
  constexpr bool sees_sequences =
      requires(const M& metric, SequenceView<const Scalar> values, std::span<const bool> counts) {
    metric(values, counts, values);
  };
  static_assert(!adds || AnyFigure<M, Scalar>,
                "strata: this metric of an epoch misses the function `std::size_t sum_count(Index "
                "size) const` or `double result(std::span<const double> sums) const`");
  static_assert(!sees_sequences || AnyFigure<M, Scalar>,
                "strata: this metric of whole sequences misses the function `Shape "
                "target_shape(const Shape& output) const`, or does not return a number");
  static_assert(adds || sees_sequences || AnyFigure<M, Scalar>,
                "strata: this metric misses the function `double operator()(const Scalar* "
                "prediction, const Scalar* target, Index size, Index target_size) const`, where "
                "Scalar is that of the model; see MetricFunction, SequenceMetric and EpochMetric");
}

/// The metric without its type.
template <class Scalar, class M>
[[nodiscard]] std::shared_ptr<const AnyMetric<Scalar>> metric_of(const M& metric) {
  require_metric<Scalar, M>();
  if constexpr (is_held<M>) {
    return held_metric<Scalar>(Held<M>::number, &metric);
  } else {
    return std::make_shared<MetricOf<M, Scalar>>(metric);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Any metric, chosen at run time. A loss serves as a metric too.
template <class Scalar>
class Metric {
 public:
  /// Throws ValueError on settings that the metric refuses.
  template <class M>
    requires(!std::same_as<M, Metric> && detail::may_be_figure<M>)
  Metric(M metric) : Metric(metric, detail::name_of(metric, "")) {
    static_assert(
        requires { metric.name; },
        "strata: this metric has no name: give it `static constexpr const char* name`, or "
        "write {metric, \"name\"}");
  }

  /// A metric under another name, for two metrics of one kind: {BinaryAccuracy{},
  /// {BinaryAccuracy{.threshold = 0.7}, "accuracy_at_70"}}.
  template <class M>
    requires(!std::same_as<M, Metric> && detail::may_be_figure<M>)
  Metric(M metric, std::string name)
      : self_(detail::metric_of<Scalar>(metric)), name_(std::move(name)) {}

  /// A metric that the weights of samples weigh.
  template <class M>
    requires(AnyFigure<M, Scalar>)
  Metric(Weighted<M> weighted) : Metric(std::move(weighted.metric), weighted.name) {
    is_weighted_ = true;
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The kind of targets that the metric compares outputs with; empty where it takes both kinds.
  [[nodiscard]] std::optional<Targets> targets() const { return self_->targets(); }
  /// A sentence about targets of a row that may be a mistake; empty for other targets.
  [[nodiscard]] std::string doubt(const Scalar* target, Index size, Index target_size) const {
    return self_->doubt(target, size, target_size);
  }
  [[nodiscard]] Mode mode() const { return self_->mode(); }

  /// The shape of y for outputs of a shape; of rank 0 where the metric takes targets of any kind.
  [[nodiscard]] Shape target_shape(const Shape& output) const {
    return self_->target_shape(output);
  }

  /// The sums over the rows that count, or over the samples, each times its weight where the metric
  /// is Weighted. Sums of several batches are added, number by number.
  [[nodiscard]] std::vector<double> sums(const Tensor<Scalar>& prediction,
                                         const Tensor<Scalar>& target, const Mask& mask = {},
                                         const SampleWeights<Scalar>& weights = {}) const {
    return self_->sums(prediction, target, mask, is_weighted_ ? weights : SampleWeights<Scalar>());
  }
  /// The figure from its sums.
  [[nodiscard]] double result(std::span<const double> sums) const { return self_->result(sums); }
  [[nodiscard]] bool is_weighted() const noexcept { return is_weighted_; }

 private:
  std::shared_ptr<const detail::AnyMetric<Scalar>> self_;
  std::string name_;
  bool is_weighted_ = false;
};

}  // namespace strata::inline STRATA_RUNTIME
