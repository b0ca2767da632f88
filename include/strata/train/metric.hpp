#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/held.hpp>
#include <strata/mask.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/any_metric.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric_of.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

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
