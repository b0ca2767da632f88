#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/callbacks.hpp>
#include <strata/train/monitor.hpp>
#include <strata/train/schedules.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void EarlyStopping::on_train_begin(TrainingRun& run) {
  detail::check_setting("EarlyStopping", "min_delta", min_delta, min_delta >= 0,
                        "at least 0 and finite");
  detail::check_setting("EarlyStopping", "patience", patience, patience >= 0, "at least 0");
  memory = {};
  memory.best.monitor("EarlyStopping", monitor, mode, run);
}

STRATA_INLINE void EarlyStopping::on_epoch_end(TrainingRun& run, int, Logs& logs) {
  if (memory.best.improves(logs[monitor], min_delta)) {
    memory.waited = 0;
    if (restore_best_weights) memory.weights = run.weights();
  } else if (++memory.waited >= patience) {
    run.stop();
  }
}

STRATA_INLINE void EarlyStopping::visit_state(StateVisitor& visit) {
  memory.best.visit_state(visit);
  visit("waited", memory.waited);
  visit("weights", memory.weights);
}

STRATA_INLINE void EarlyStopping::on_train_end(TrainingRun& run) const {
  if (!restore_best_weights) return;
  if (memory.best.has_value()) {
    run.set_weights(memory.weights);
  } else {
    run.warn("EarlyStopping: " + monitor +
             " was not a number in any epoch, so none is the best; the last weights stay");
  }
}

STRATA_INLINE void MovingAverage::on_train_begin(TrainingRun& run) {
  detail::check_setting("MovingAverage", "decay", decay, decay >= 0 && decay < 1,
                        "at least 0 and below 1");
  memory = {run.weights(), {}};
}

STRATA_INLINE void MovingAverage::on_epoch_begin(TrainingRun& run, int) {
  if (memory.trained.empty()) return;
  run.set_weights(memory.trained);
  memory.trained.clear();
}

STRATA_INLINE void MovingAverage::on_batch_end(TrainingRun& run, Index batch, const Logs&) {
  std::vector<double> now = run.weights();
  for (std::size_t i = 0; i < now.size(); ++i) {
    // Rounded in one way with every instruction set.
    memory.average[i] = std::fma(decay, memory.average[i], (1 - decay) * now[i]);
  }
  if (batch + 1 < run.batches() && !run.stopped_now()) return;
  memory.trained = std::move(now);
  run.set_weights(memory.average);
}

STRATA_INLINE void MovingAverage::on_train_end(TrainingRun& run) const {
  run.set_weights(memory.average);
}

STRATA_INLINE void MovingAverage::visit_state(StateVisitor& visit) {
  visit("average", memory.average);
  visit("trained", memory.trained);
}

STRATA_INLINE void ReduceLROnPlateau::visit_state(StateVisitor& visit) {
  memory.best.visit_state(visit);
  visit("waited", memory.waited);
  visit("cooling", memory.cooling);
}

STRATA_INLINE void ReduceLROnPlateau::on_train_begin(TrainingRun& run) {
  if (!detail::is_finite(factor) || factor < 0 || factor >= 1) {
    detail::fail<ValueError>({"ReduceLROnPlateau: factor must be in [0, 1), found ", factor});
  }
  detail::check_setting("ReduceLROnPlateau", "patience", patience, patience >= 0, "at least 0");
  detail::check_setting("ReduceLROnPlateau", "min_delta", min_delta, min_delta >= 0,
                        "at least 0 and finite");
  detail::check_setting("ReduceLROnPlateau", "cooldown", cooldown, cooldown >= 0, "at least 0");
  detail::check_setting("ReduceLROnPlateau", "min_lr", min_lr, min_lr >= 0,
                        "at least 0 and finite");
  memory = {};
  memory.best.monitor("ReduceLROnPlateau", monitor, mode, run);
  run.adjust_learning_rate("ReduceLROnPlateau");
}

STRATA_INLINE void ReduceLROnPlateau::on_epoch_end(TrainingRun& run, int, Logs& logs) {
  logs.set("learning_rate", run.learning_rate());
  if (memory.cooling > 0) {
    --memory.cooling;
    memory.waited = 0;
  }
  if (memory.best.improves(logs[monitor], min_delta)) {
    memory.waited = 0;
  } else if (memory.cooling == 0 && ++memory.waited >= patience) {
    if (run.learning_rate() <= min_lr) return;
    run.set_learning_rate(std::max(min_lr, run.learning_rate() * factor));
    memory.cooling = cooldown;
    memory.waited = 0;
  }
}

}  // namespace strata::inline STRATA_RUNTIME
