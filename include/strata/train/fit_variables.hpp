#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <strata/model/state.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/any_metric.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/history.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// What changes in a training from the first batch to the last, besides the weights, the optimizer
/// and the callbacks.
template <class Scalar>
struct FitVariables {
  /// The epoch and the batch that come next.
  int epoch = 0;
  Index batch = 0;
  Totals<Scalar> totals;
  State<Scalar> state = {};
  History history = {};
};

/// Visits all variables of a training but those of the callbacks, to copy them into a state or out
/// of one. The settings on which they depend must be the same. samples: the number that is trained.
/// layers: the number of the model's layers.
template <class Scalar>
void visit_training(StateVisitor visit, TrainingRun& run, FitVariables<Scalar>& now,
                    Training<Scalar>& training, const FitOptions<Scalar>& options, Index samples,
                    std::size_t layers) {
  StateVisitor settings = visit.within("settings");
  settings.require_same("samples", samples);
  settings.require_same("batch_size", options.batch_size);
  settings.require_same("seed", static_cast<std::int64_t>(options.seed));
  settings.require_same("shuffle", Index{options.shuffle});
  settings.require_same("stateful", Index{options.stateful});
  settings.require_same("truncate", options.truncate);
  settings.require_same("weight_noise", options.weight_noise);
  settings.require_same("gradient_noise", options.gradient_noise.eta);
  visit("epoch", now.epoch);
  visit("batch", now.batch);
  visit("epochs_trained", training.epochs_trained);
  bool stopped = run.stopped();
  visit("stopped", stopped);
  if (stopped) run.stop();
  bool stopped_now = run.stopped_now();
  visit("stopped_now", stopped_now);
  if (stopped_now) run.stop_now();
  now.totals.visit_state(visit.within("totals"));
  now.history.visit_state(visit.within("history"));
  training.update.optimizer.visit_state(visit.within("optimizer"));
  if (options.stateful) {
    visit("state.batch", now.state.batch);
    now.state.layers.resize(layers);
    for (std::size_t i = 0; i < layers; ++i) {
      visit("state." + std::to_string(i), now.state.layers[i]);
    }
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
