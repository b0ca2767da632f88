#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/settings.hpp>
#include <strata/mask.hpp>
#include <strata/sample_weights.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/any_metric.hpp>
#include <strata/train/figures.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A metric of a type, without it.
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

}  // namespace strata::detail::inline STRATA_RUNTIME
