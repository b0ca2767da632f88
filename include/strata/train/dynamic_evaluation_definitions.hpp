#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/model/state.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/dynamic_evaluation.hpp>
#include <strata/train/fit_checks.hpp>
#include <strata/train/samples.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
void check_dynamic_evaluation(const TrainableNetwork<Scalar>& network,
                              const Training<Scalar>& training, const Tensor<Scalar>& x,
                              const Tensor<Scalar>& y,
                              const DynamicEvaluationOptions<Scalar>& options) {
  const char* const who = "dynamic_evaluation";
  if (options.window < 1) {
    fail<ValueError>({who, ": window must be at least 1 step, found ", options.window});
  }
  check_not_empty("x", x);
  check_sequences(network, x, options.mask, static_cast<State<Scalar>*>(nullptr));
  const Shape output = network.output_shape(x.shape());
  if (output.rank() != 3) {
    fail<ShapeError>(
        {who, ": needs a model with one output for each step, found outputs ", output});
  }
  if (!training.loss.is_of_rows()) {
    fail<ValueError>(
        {who, ": scores windows, but the loss ", training.loss.name(), " needs whole sequences"});
  }
  check_carries_state("dynamic_evaluation carries a state", network);
  training.check_targets(y, output);
  training.check(network, x.shape(), y, options.mask);
}

template <class Scalar>
Evaluation dynamic_evaluation(TrainableNetwork<Scalar> network, Optimizer<Scalar> optimizer,
                              Loss<Scalar> loss, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                              const DynamicEvaluationOptions<Scalar>& options) {
  Training<Scalar> training(std::move(optimizer), std::move(loss), options.metrics, {});
  check_dynamic_evaluation(network, training, x, y, options);
  Totals<Scalar> totals(training.metrics);
  State<Scalar> state = network.zero_state(x.batch());
  const Random random(options.seed);
  const Index steps = takes_ids(network) ? x.features() : x.steps();
  for (Index first = 0; first < steps; first += options.window) {
    const Index count = (std::min)(options.window, steps - first);
    const Tensor<Scalar> x_window = steps_of(x, first, count);
    const Tensor<Scalar> y_window = steps_of(y, first, count);
    const Mask mask = options.mask.part(0, x.batch(), first, count);
    const SequenceContext<Scalar> context{.mask = &mask, .continues = first > 0};

    // Learning begins in the state before the window, with layers as in training.
    State<Scalar> learned = state;
    typename ForwardNetwork<Scalar>::Packed packed;
    network.pack(packed, false);
    SequenceContext<Scalar> scored = context;
    scored.state = &state;
    const SampleWeights<Scalar> equal;
    const Goal<Scalar> goal{y_window, equal};
    training.test_part(network, packed, x_window, goal, scored, totals);

    SequenceContext<Scalar> taught = context;
    taught.state = &learned;
    training.step(network, x_window, goal, {random.fork(static_cast<std::uint64_t>(first))}, taught,
                  nullptr);
  }
  totals.end_batch(x.batch());
  return totals.means();
}

}  // namespace strata::detail::inline STRATA_RUNTIME
