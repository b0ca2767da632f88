#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <strata/error_handler.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/train/fit_checks.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/samples.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Trains a network with one batch: in one step, or in one step for each window of `truncate` time
/// steps. Where the network has one output for a whole sequence, only the last window has a target;
/// the windows before it just take the state on. `state` holds the state before the batch and then
/// the state after it, where the options ask for states.
///
/// Throws ValueError when a loss, a gradient or a weight is not finite. The update before, whose
/// weights led to it, is taken back.
template <class Scalar>
void train_batch(TrainableNetwork<Scalar>& network, Training<Scalar>& training,
                 const FitOptions<Scalar>& options, const Batch<Scalar>& batch,
                 const Random& random, State<Scalar>& state, Totals<Scalar>& totals) {
  const bool has_state = options.stateful || options.truncate > 0 || !batch.state.empty();
  State<Scalar>* const carried = has_state ? &state : nullptr;
  const auto step_options = [&](const Random& own) {
    const auto& [eta, gamma] = options.gradient_noise;
    const auto updates = static_cast<double>(training.update.optimizer.iterations());
    return StepOptions{own, options.weight_noise,
                       eta == 0 ? 0 : std::sqrt(eta / std::pow(1 + updates, gamma))};
  };
  const Index steps = takes_ids(network) ? batch.x.features() : batch.x.steps();
  const Index size = options.truncate > 0 ? options.truncate : steps;
  const auto train = [&] {
    if (size >= steps) {
      training.step(network, batch.x, {batch.y, batch.sample_weight}, step_options(random),
                    {.mask = &batch.mask, .state = carried}, &totals);
      return;
    }
    const bool has_targets = network.output_shape(batch.x.shape()).rank() == 3;
    for (Index first = 0; first < steps; first += size) {
      const Index count = (std::min)(size, steps - first);
      const Batch<Scalar> window{
          steps_of(batch.x, first, count),
          has_targets ? steps_of(batch.y, first, count) : batch.y,
          batch.mask.part(0, batch.x.batch(), first, count),
          has_targets ? batch.sample_weight.window(first, count) : batch.sample_weight,
          {}};
      const SequenceContext<Scalar> context{
          .mask = &window.mask, .state = carried, .continues = first > 0};
      if (has_targets || first + count == steps) {
        training.step(network, window.x, {window.y, window.sample_weight},
                      step_options(random.fork(static_cast<std::uint64_t>(first))), context,
                      &totals);
      } else {
        typename ForwardNetwork<Scalar>::Packed packed;
        network.pack(packed, false);
        (void)forward(network, packed, window.x, context);
      }
    }
  };
  on_error<NotFinite>(train, [&](const NotFinite& error) {
    training.update.take_back(network.parameters());
    raise<NotFinite>(error);
  });
}

}  // namespace strata::detail::inline STRATA_RUNTIME
