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
#include <strata/error_handler.hpp>
#include <strata/model/shards.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/written_derivatives.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A loss of whole samples without its type: its mean over the samples, each times its weight.
/// Threads share the samples; the losses are added in the order of the samples, so that the sum
/// does not depend on the threads.
template <class L, class Scalar>
struct SequenceLossOf final : AnyLoss<Scalar> {
  explicit SequenceLossOf(L value) : loss(std::move(value)) {
    check_settings(loss);
    this->name = name_of(loss, "loss");
    this->is_of_rows = false;
    this->targets = targets_of(loss);
    if constexpr (requires { loss.predictions(); }) this->predictions = loss.predictions();
  }

  Shape target_shape(const Shape& output) const override { return loss.target_shape(output); }
  bool takes(Scalar) const override { return true; }
  std::string doubt(const Scalar*, Index) const override { return {}; }
  void check_sample([[maybe_unused]] SequenceView<const Scalar> target,
                    [[maybe_unused]] Index counted) const override {
    if constexpr (requires { loss.check_target(target, counted); }) {
      loss.check_target(target, counted);
    }
  }

  double mean(const typename AnyLoss<Scalar>::Batch& batch) const override {
    const Index samples = batch.prediction.batch();
    std::vector<double> losses(static_cast<std::size_t>(samples));
    const Shard own = batch.parts.own(samples);
    batch.threads.run(static_cast<std::size_t>(own.count), [&](std::size_t i) {
      const std::size_t sample = static_cast<std::size_t>(own.first) + i;
      on_error<ValueError>([&] { losses[sample] = of_sample(batch, static_cast<Index>(sample)); },
                           [&](const ValueError& error) {
                             fail<ValueError>({"loss ", this->name, ": sample ", sample,
                                               " of the batch: ", error.what()});
                           });
    });
    batch.parts.share(std::span(losses));
    double sum = 0;
    for (Index b = 0; b < samples; ++b) {
      sum = std::fma(weight_of(batch, b), losses[static_cast<std::size_t>(b)], sum);
    }
    return sum / static_cast<double>(samples);
  }

 private:
  [[nodiscard]] static double weight_of(const typename AnyLoss<Scalar>::Batch& batch,
                                        Index sample) {
    return batch.weights.empty() ? 1 : static_cast<double>(batch.weights(sample, 0));
  }

  [[nodiscard]] double of_sample(const typename AnyLoss<Scalar>::Batch& batch, Index sample) const {
    const SequenceView<const Scalar> prediction = sample_of(batch.prediction, sample);
    const Index steps = prediction.steps();
    const Index size = prediction.features();
    const CountedSteps counts(batch.mask, sample, steps);
    const auto weight = static_cast<Scalar>(weight_of(batch, sample));
    SequenceView<Scalar> gradient;
    if (batch.gradient) gradient = {batch.gradient + sample * steps * size, steps, size};
    const auto for_each_step = [&](auto f) {
      for (Index t = 0; t < gradient.steps(); ++t) {
        f(gradient.step(t).data(), counts.flags()[static_cast<std::size_t>(t)]);
      }
    };
    for_each_step([&](Scalar* slope, bool) {
      if (batch.checked) {
        mark_unwritten(slope, size);
      } else {
        std::fill_n(slope, size, Scalar(0));
      }
    });
    const double value =
        loss(prediction, counts.flags(), sample_of(batch.target, sample), gradient);
    for_each_step([&](Scalar* slope, bool counts_here) {
      if (!counts_here) {
        std::fill_n(slope, size, Scalar(0));
        return;
      }
      if (batch.checked) {
        check_written(count_written(slope, size), size);
        if (is_finite(value)) check_derivatives(slope, size);
      }
      for (Index i = 0; i < size; ++i) {
        slope[i] = slope[i] * weight / static_cast<Scalar>(batch.prediction.batch());
      }
    });
    return value;
  }

  static void check_written(Index written, Index size) {
    if (written == size) return;
    fail<ValueError>({"wrote ", written, " of the ", size,
                      " derivatives of a step; where `gradient` is not empty a loss writes the "
                      "derivatives of all steps that count"});
  }

  static void check_derivatives(const Scalar* slope, Index size) {
    for (Index i = 0; i < size; ++i) {
      if (is_finite(slope[i])) continue;
      fail<ValueError>({"the loss is finite, but a derivative by output ", i, " is ",
                        is_nan(slope[i]) ? "not a number" : "infinite"});
    }
  }

  L loss;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
