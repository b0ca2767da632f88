#pragma once

#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/options.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/batch_checks.hpp>
#include <strata/train/class_weights.hpp>
#include <strata/train/output_checks.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training.hpp>
#include <strata/train/trial_build.hpp>
#include <strata/train/weight_noise.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Checks a batch and calls step(goal, options, context), which returns the loss. Where it
/// succeeds, the state in the options becomes the state after the batch.
template <class Scalar, class Step>
double with_batch(TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                  const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                  const BatchOptions<Scalar>& options, const Random& random, Step step) {
  const bool is_first = training.is_new();
  TrialBuild<Scalar> build(network);
  prepare(network, build, training, x, {y, options.sample_weight}, options.mask, is_first);
  SampleWeights<Scalar> of_classes;
  if (!options.class_weight.empty()) {
    const Shape output = network.output_shape(x.shape());
    check_class_weights(options.class_weight, output, training.loss);
    of_classes =
        times_class_weights(options.sample_weight, options.class_weight, y, output, training.loss);
  }
  const SampleWeights<Scalar>& weights =
      options.class_weight.empty() ? options.sample_weight : of_classes;
  if (is_first) {
    for (const std::string& text : training.warnings(network, x.shape(), y, options.mask)) {
      std::cerr << "strata: warning: " << text << '\n';
    }
  }
  State<Scalar> state;
  if (options.state) {
    state = *options.state;
    network.check_state(state, x.batch());
  }
  check_noise("weight_noise", options.weight_noise);
  build.keep();
  const double loss = step(
      Goal<Scalar>{y, weights}, StepOptions{random, options.weight_noise},
      SequenceContext<Scalar>{.mask = &options.mask, .state = options.state ? &state : nullptr});
  if (options.state) *options.state = std::move(state);
  return loss;
}

/// One training step over one batch.
template <class Scalar>
double train_on_batch(TrainableNetwork<Scalar> network, Training<Scalar>& training,
                      const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                      const BatchOptions<Scalar>& options, const Random& random,
                      Totals<Scalar>* totals) {
  if (options.input_derivative) {
    detail::raise<ValueError>("input_derivative is for Trainer::gradients; a step has none");
  }
  const auto iteration = static_cast<std::uint64_t>(training.update.optimizer.iterations());
  const double loss = with_batch(network, training, x, y, options, random.fork(iteration),
                                 [&](const Goal<Scalar>& goal, const StepOptions& step,
                                     const SequenceContext<Scalar>& context) {
                                   return training.step(network, x, goal, step, context, totals);
                                 });
  if (totals) totals->end_batch(x.batch());
  return loss;
}

/// Trainer::gradients.
template <class Scalar>
double gradients_of(TrainableNetwork<Scalar> network, Training<Scalar>& training,
                    const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                    const BatchOptions<Scalar>& options, const Random& random,
                    Totals<Scalar>& totals, std::vector<Scalar>& gradient) {
  if (options.input_derivative && takes_ids(network)) {
    detail::raise<ValueError>(
        "input_derivative: the model reads class numbers, by which nothing can be derived");
  }
  const double loss =
      with_batch(network, training, x, y, options, random,
                 [&](const Goal<Scalar>& goal, const StepOptions& step,
                     const SequenceContext<Scalar>& context) {
                   return training.gradients(network, x, goal, step, context, &totals, gradient,
                                             options.input_derivative);
                 });
  totals.end_batch(x.batch());
  return loss;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
