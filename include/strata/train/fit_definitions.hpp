#pragma once

#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/train/batch_checks.hpp>
#include <strata/train/epoch_loop.hpp>
#include <strata/train/evaluation.hpp>
#include <strata/train/fit.hpp>
#include <strata/train/samples.hpp>
#include <strata/train/target_checks.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/train_on_batch.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Training>
[[nodiscard]] Training& compiled_training(Training* training) {
  if (!training)
    detail::raise<StateError>("the model is not compiled; call compile(optimizer, loss) first");
  return *training;
}

template <class Scalar>
Owned<Training<Scalar>> training_of(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
                                    std::vector<Metric<Scalar>> metrics, const WeightRules& rules) {
  Owned<Training<Scalar>> training;
  training.emplace(std::move(optimizer), std::move(loss), std::move(metrics), rules);
  return training;
}

template <class Scalar>
Owned<Training<Scalar>> training_of(Optimizer<Scalar> optimizer, Loss<Scalar> loss,
                                    std::vector<Metric<Scalar>> metrics) {
  return training_of(std::move(optimizer), std::move(loss), std::move(metrics), WeightRules());
}

template <class Scalar>
Optimizer<Scalar>& optimizer_of(Training<Scalar>& training) noexcept {
  return training.update.optimizer;
}

template <class Scalar>
History fit(const TrainableNetwork<Scalar>& network, Training<Scalar>* training,
            const AnySource<Scalar>& samples, const FitOptions<Scalar>& options) {
  return Fit<Scalar>(network, compiled_training(training), samples, options).run();
}

template <class Scalar>
History fit(const TrainableNetwork<Scalar>& network, Training<Scalar>* training,
            const Tensor<Scalar>& x, const Tensor<Scalar>& y, const FitOptions<Scalar>& options) {
  const MemorySamples<Scalar> samples(Batch<Scalar>{view_of(x), view_of(y), options.mask,
                                                    options.sample_weight, options.initial_state});
  return fit(network, training, samples, options);
}

template <class Scalar>
void check_evaluation(const EvaluateOptions<Scalar>& options) {
  if (options.batch_size < 1) detail::raise<ValueError>("evaluate: batch_size must be at least 1");
}

template <class Scalar>
Evaluation evaluate(const ForwardNetwork<Scalar>& network, const Training<Scalar>* training,
                    const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                    const EvaluateOptions<Scalar>& options) {
  const Training<Scalar>& compiled = compiled_training(training);
  check_evaluation(options);
  check_sequences(network, x, options.mask, options.state);
  check_goal("sample_weight", compiled, {y, options.sample_weight},
             network.output_shape(x.shape()));
  const MemorySamples<Scalar> samples(
      Batch<Scalar>{view_of(x), view_of(y), options.mask, options.sample_weight, {}});
  return evaluate(network, compiled, samples, 0, x.batch(), options.batch_size, options.state);
}

template <class Scalar>
Evaluation evaluate(const ForwardNetwork<Scalar>& network, const Training<Scalar>* training,
                    const AnySource<Scalar>& samples, const EvaluateOptions<Scalar>& options) {
  const Training<Scalar>& compiled = compiled_training(training);
  check_evaluation(options);
  if (!options.mask.empty() || !options.sample_weight.empty() || options.state) {
    detail::raise<ValueError>(
        "evaluate: mask, sample_weight and state are for samples in memory; a source sets "
        "batch.mask, batch.sample_weight and batch.state");
  }
  if (samples.size() < 1) detail::raise<ShapeError>("evaluate: the source has no samples");
  return evaluate(network, compiled, samples, 0, samples.size(), options.batch_size);
}

template <class Scalar>
Evaluation train_on_batch(const TrainableNetwork<Scalar>& network, Training<Scalar>* training,
                          const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                          const BatchOptions<Scalar>& options) {
  Training<Scalar>& compiled = compiled_training(training);
  Totals<Scalar> totals(compiled.metrics);
  train_on_batch(network, compiled, x, y, options, Random(0), &totals);
  return totals.means();
}

template <class Scalar>
const std::vector<Metric<Scalar>>& metrics_of(const Training<Scalar>& training) noexcept {
  return training.metrics;
}

template <class Scalar>
double train_on_batch(const TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                      const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                      const BatchOptions<Scalar>& options, const Random& random,
                      Totals<Scalar>& totals) {
  return train_on_batch(network, training, x, y, options, random, &totals);
}

template <class Scalar>
Gradients<Scalar> gradients_of(const TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                               const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                               const BatchOptions<Scalar>& options, const Random& random,
                               std::uint64_t number, Totals<Scalar>& totals) {
  const auto iteration = static_cast<std::uint64_t>(training.update.optimizer.iterations());
  Random own = random.fork(iteration);
  // The first gradients are those of a step. Layers and shards use forks of small numbers.
  if (number > 0) own = own.fork((std::uint64_t{1} << 32) + number);
  std::vector<Scalar> values;
  const double loss = gradients_of(network, training, x, y, options, own, totals, values);
  std::vector<typename Gradients<Scalar>::Part> parts;
  for (const auto& parameter : network.parameters()) {
    parts.push_back({parameter.name, parameter.shape});
  }
  return {loss, std::move(parts), std::move(values)};
}

template <class Scalar>
void apply_gradients(const TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                     const Gradients<Scalar>& gradients) {
  TrainableNetwork<Scalar> own = network;
  if (static_cast<Index>(gradients.values().size()) != own.parameter_count()) {
    fail<ShapeError>({"apply: the model has ", own.parameter_count(), " parameters, found ",
                      gradients.values().size(), " gradients"});
  }
  training.apply(own, gradients.values());
}

}  // namespace strata::detail::inline STRATA_RUNTIME
