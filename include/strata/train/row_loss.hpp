#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/model/shards.hpp>
#include <strata/target.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/written_derivatives.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A loss of rows without its type: its mean over the rows that count. As in Keras, a weight
/// multiplies the loss of its row, and the sum is divided by the number of rows, not by the sum of
/// the weights.
template <class L, class Scalar>
struct RowLossOf final : AnyLoss<Scalar> {
  static constexpr bool has_range = requires(const L& l, Scalar target) {
    { l.takes(target) } -> std::convertible_to<bool>;
    { l.target_range } -> std::convertible_to<std::string>;
  };

  static constexpr bool checks_target = requires(const L& l, const Scalar* target, Index size) {
    l.check_target(target, size);
  };

  explicit RowLossOf(L value) : loss(std::move(value)) {
    check_settings(loss);
    this->name = name_of(loss, "loss");
    this->targets = targets_of(loss);
    if constexpr (requires { loss.predictions(); }) this->predictions = loss.predictions();
    if constexpr (has_range) this->target_range = loss.target_range;
  }

  Shape target_shape(const Shape& output) const override {
    return target_shape_of(loss, this->targets, output);
  }
  bool takes([[maybe_unused]] Scalar target) const override {
    if constexpr (has_range) {
      return loss.takes(target);
    } else {
      return true;
    }
  }
  std::string doubt([[maybe_unused]] const Scalar* target,
                    [[maybe_unused]] Index size) const override {
    if constexpr (requires { loss.doubt(target, size); }) {
      return loss.doubt(target, size);
    } else {
      return {};
    }
  }
  void check_sample([[maybe_unused]] SequenceView<const Scalar> target, Index) const override {
    if constexpr (checks_target) loss.check_target(target.data(), target.features());
  }

  double mean(const typename AnyLoss<Scalar>::Batch& batch) const override {
    const auto& [prediction, target, mask, weights, gradient, checked, threads, parts] = batch;
    const Index rows = prediction.batch() * prediction.steps();
    const Index size = prediction.features();
    const Index target_size = target.size() / rows;
    const Index counted = mask.empty() ? rows : mask.count();
    std::vector<double> losses(static_cast<std::size_t>(rows));
    const Shard own = parts.own(prediction.batch());
    const Index end = (own.first + own.count) * prediction.steps();
    for (Index row = own.first * prediction.steps(); row < end; ++row) {
      Scalar* const slope = gradient ? gradient + row * size : nullptr;
      if (!counts(batch, row)) {
        if (slope) std::fill_n(slope, size, Scalar(0));
        continue;
      }
      const Scalar* const wanted = target.data() + row * target_size;
      if constexpr (has_range) check_row(wanted, target_size);
      if constexpr (checks_target) loss.check_target(wanted, target_size);
      if (checked && slope) mark_unwritten(slope, size);
      const double value = loss(prediction.data() + row * size, wanted, size, slope);
      losses[static_cast<std::size_t>(row)] = value;
      if (!slope) continue;
      if (checked) {
        check_written(count_written(slope, size), size);
        if (is_finite(value)) {
          check_derivatives(slope, size, prediction.data() + row * size, wanted, target_size);
        }
      }
      const Scalar weight = weight_of(batch, row);
      for (Index i = 0; i < size; ++i) slope[i] = slope[i] * weight / static_cast<Scalar>(counted);
    }
    parts.share(std::span(losses));
    double sum = 0;
    for (Index row = 0; row < rows; ++row) {
      if (!counts(batch, row)) continue;
      sum = std::fma(static_cast<double>(weight_of(batch, row)),
                     losses[static_cast<std::size_t>(row)], sum);
    }
    return counted == 0 ? 0 : sum / static_cast<double>(counted);
  }

 private:
  using Batch = typename AnyLoss<Scalar>::Batch;

  [[nodiscard]] static bool counts(const Batch& batch, Index row) {
    const Index steps = batch.prediction.steps();
    return batch.mask.empty() || batch.mask(row / steps, row % steps);
  }
  [[nodiscard]] static Scalar weight_of(const Batch& batch, Index row) {
    const Index steps = batch.prediction.steps();
    return batch.weights.empty() ? Scalar(1) : batch.weights(row / steps, row % steps);
  }

  void check_row(const Scalar* target, Index size) const {
    for (Index i = 0; i < size; ++i) {
      if (loss.takes(target[i])) continue;
      fail<ValueError>(
          {this->name, ": targets must be ", this->target_range, ", found ", target[i]});
    }
  }

  void check_written(Index written, Index size) const {
    if (written == size) return;
    fail<ValueError>({"loss ", this->name, ": wrote ", written, " of the ", size,
                      " derivatives of a row; where `gradient` is not null a loss "
                      "writes gradient[0] to gradient[size - 1]"});
  }

  void check_derivatives(const Scalar* slope, Index size, const Scalar* prediction,
                         const Scalar* target, Index target_size) const {
    for (Index i = 0; i < size; ++i) {
      if (is_finite(slope[i])) continue;
      fail<ValueError>({"loss ", this->name, ": is finite, but gradient[", i, "] is ",
                        is_nan(slope[i]) ? "not a number" : "infinite", " for a prediction of ",
                        prediction[i], " and a target of ", target[target_size == size ? i : 0]});
    }
  }

  L loss;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
