#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/mask.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/loss.hpp>

namespace strata::inline STRATA_RUNTIME {

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
  [[nodiscard]] virtual double row(const Scalar* prediction, const Scalar* target, Index size,
                                   Index target_size) const = 0;
  [[nodiscard]] virtual double finish(double mean) const = 0;
};

template <class M, class Scalar>
struct MetricOf final : AnyMetric<Scalar> {
  explicit MetricOf(M value) : metric(std::move(value)) { check_settings(metric); }

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

/// A metric, or a loss as one, that strata::compiled holds, for the processor in use. `settings`
/// points to the metric.
template <class Scalar>
[[nodiscard]] std::shared_ptr<const AnyMetric<Scalar>> held_metric(int number,
                                                                   const void* settings);

/// The metric without its type.
template <class Scalar, class M>
[[nodiscard]] std::shared_ptr<const AnyMetric<Scalar>> metric_of(const M& metric) {
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
    requires(!std::same_as<M, Metric> && (MetricFunction<M, Scalar> || LossFunction<M, Scalar>))
  Metric(M metric) : Metric(std::move(metric), M::name) {}

  /// A metric under another name, for two metrics of one kind: {BinaryAccuracy{},
  /// {BinaryAccuracy{.threshold = 0.7}, "accuracy_at_70"}}.
  template <class M>
    requires(!std::same_as<M, Metric> && (MetricFunction<M, Scalar> || LossFunction<M, Scalar>))
  Metric(M metric, std::string name)
      : self_(detail::metric_of<Scalar>(metric)), name_(std::move(name)) {}

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
  std::shared_ptr<const detail::AnyMetric<Scalar>> self_;
  std::string name_;
};

}  // namespace strata::inline STRATA_RUNTIME
