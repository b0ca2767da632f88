#pragma once

#include <strata/strata.hpp>

namespace papers {

/// A callback that lowers the learning rate after each batch, evenly from the optimizer's rate at
/// the first to almost zero at the last: a training of few epochs needs finer steps than one an
/// epoch.
struct FallingRate {
  int epoch = 0;

  void on_train_begin(strata::TrainingRun& run) { run.schedule_learning_rate("FallingRate"); }
  void on_epoch_begin(strata::TrainingRun&, int number) { epoch = number; }
  void on_batch_end(strata::TrainingRun& run, strata::Index batch, const strata::Logs&) const {
    const auto done = static_cast<double>(epoch * run.batches() + batch + 1);
    const auto all = static_cast<double>(run.epochs() * run.batches());
    run.set_learning_rate(run.initial_learning_rate() * (1 - done / (all + 1)));
  }
};

}  // namespace papers
