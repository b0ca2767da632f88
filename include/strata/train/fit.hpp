#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <strata/model/options.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/sequential_base.hpp>
#include <strata/random.hpp>
#include <strata/support/owned.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/gradients.hpp>
#include <strata/train/history.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/weight_rules.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

// What the functions of models and trainers that train and evaluate come down to.

/// Throws ValueError on settings that make no sense or do not go together.
template <class Scalar>
[[nodiscard]] Owned<Training<Scalar>> training_of(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
                                                  std::vector<Metric<Scalar>> metrics,
                                                  const WeightRules& rules);

/// Without rules for weights.
template <class Scalar>
[[nodiscard]] Owned<Training<Scalar>> training_of(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
                                                  std::vector<Metric<Scalar>> metrics);

template <class Scalar>
[[nodiscard]] Optimizer<Scalar>& optimizer_of(Training<Scalar>& training) noexcept;

/// SequentialBase::fit, with the training of compile; throws StateError where that is null.
template <class Scalar>
History fit(const TrainableNetwork<Scalar>& network, Training<Scalar>* training,
            const Tensor<Scalar>& x, const Tensor<Scalar>& y, const FitOptions<Scalar>& options);

template <class Scalar>
History fit(const TrainableNetwork<Scalar>& network, Training<Scalar>* training,
            const AnySource<Scalar>& samples, const FitOptions<Scalar>& options);

/// SequentialBase::evaluate; training as in fit.
template <class Scalar>
[[nodiscard]] Evaluation evaluate(const ForwardNetwork<Scalar>& network,
                                  const Training<Scalar>* training, const Tensor<Scalar>& x,
                                  const Tensor<Scalar>& y, const EvaluateOptions<Scalar>& options);
template <class Scalar>
[[nodiscard]] Evaluation evaluate(const ForwardNetwork<Scalar>& network,
                                  const Training<Scalar>* training,
                                  const AnySource<Scalar>& samples,
                                  const EvaluateOptions<Scalar>& options);

/// SequentialBase::train_on_batch; training as in fit.
template <class Scalar>
Evaluation train_on_batch(const TrainableNetwork<Scalar>& network, Training<Scalar>* training,
                          const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                          const BatchOptions<Scalar>& options);

template <class Scalar>
[[nodiscard]] const std::vector<Metric<Scalar>>& metrics_of(
    const Training<Scalar>& training) noexcept;

/// Trainer::step. Adds the batch to `totals`.
template <class Scalar>
double train_on_batch(const TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                      const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                      const BatchOptions<Scalar>& options, const Random& random,
                      Totals<Scalar>& totals);

/// Trainer::gradients. `number`: how many gradients were computed since the last update.
template <class Scalar>
[[nodiscard]] Gradients<Scalar> gradients_of(const TrainableNetwork<Scalar>& network,
                                             Training<Scalar>& training, const Tensor<Scalar>& x,
                                             const Tensor<Scalar>& y,
                                             const BatchOptions<Scalar>& options,
                                             const Random& random, std::uint64_t number,
                                             Totals<Scalar>& totals);

/// Trainer::apply.
template <class Scalar>
void apply_gradients(const TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                     const Gradients<Scalar>& gradients);

// The functions of a model that train and evaluate, which strata/model/sequential_base.hpp
// declares.

template <class Model, class S>
TrainableNetwork<S> SequentialBase<Model, S>::trainable_network() & {
  return {static_cast<Model&>(*this).template layer_refs<TrainableRef<S>>(), setup_};
}

template <class Model, class S>
void SequentialBase<Model, S>::compile(Optimizer<S> optimizer, Loss<S> loss,
                                       std::vector<Metric<S>> metrics, const WeightRules& rules) {
  training_ = training_of<S>(std::move(optimizer), std::move(loss), std::move(metrics), rules);
  for (const auto& [name, factor] : rules.rates) this->network().set_rate(name, factor);
}

template <class Model, class S>
void SequentialBase<Model, S>::compile(Optimizer<S> optimizer, Loss<S> loss,
                                       std::vector<Metric<S>> metrics) {
  training_ = training_of<S>(std::move(optimizer), std::move(loss), std::move(metrics));
}

template <class Model, class S>
History SequentialBase<Model, S>::fit(const Tensor<S>& x, const Tensor<S>& y,
                                      const FitOptions<S>& options) {
  return detail::fit(trainable_network(), training_.get(), x, y, options);
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::evaluate(const Tensor<S>& x, const Tensor<S>& y,
                                              const EvaluateOptions<S>& options) const {
  return detail::evaluate(forward_network(), training_.get(), x, y, options);
}

template <class Model, class S>
template <class Source>
  requires(SampleSource<Source, S>)
History SequentialBase<Model, S>::fit(const Source& samples, const FitOptions<S>& options) {
  return detail::fit(trainable_network(), training_.get(), SourceOf<S, Source>(samples), options);
}

template <class Model, class S>
template <class Source>
  requires(SampleSource<Source, S>)
Evaluation SequentialBase<Model, S>::evaluate(const Source& samples,
                                              const EvaluateOptions<S>& options)
const {
  return detail::evaluate(forward_network(), training_.get(), SourceOf<S, Source>(samples),
                          options);
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::train_on_batch(const Tensor<S>& x, const Tensor<S>& y,
                                                    const BatchOptions<S>& options) {
  return detail::train_on_batch(trainable_network(), training_.get(), x, y, options);
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::test_on_batch(const Tensor<S>& x, const Tensor<S>& y,
                                                   const BatchOptions<S>& options) const {
  return evaluate(
      x, y, {std::max<Index>(1, x.batch()), options.mask, options.state, options.sample_weight});
}

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/fit_definitions.hpp>
#endif
