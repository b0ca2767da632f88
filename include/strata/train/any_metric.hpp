#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <strata/mask.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/figures.hpp>

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

}  // namespace strata::detail::inline STRATA_RUNTIME
