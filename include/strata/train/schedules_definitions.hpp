#pragma once

#include <algorithm>
#include <cmath>

#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/schedules.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void LearningRateScheduler::on_train_begin(TrainingRun& run) const {
  if (!schedule) throw ValueError("LearningRateScheduler: the schedule is empty");
  run.transform_learning_rate("LearningRateScheduler");
}

STRATA_INLINE void LearningRateScheduler::on_epoch_begin(TrainingRun& run, int epoch) const {
  run.set_learning_rate(schedule(epoch, run.learning_rate()));
}

STRATA_INLINE void LearningRateScheduler::on_epoch_end(TrainingRun& run, int, Logs& logs) const {
  logs.set("learning_rate", run.learning_rate());
}

STRATA_INLINE void StepDecay::check() const {
  detail::check_setting(name, "every", every, every >= 1, "at least 1");
  detail::check_setting(name, "factor", factor, factor >= 0, "at least 0 and finite");
}

STRATA_INLINE double StepDecay::share_of(int epoch, int) const {
  return std::pow(factor, epoch / every);
}

STRATA_INLINE void ExponentialDecay::check() const {
  detail::check_setting(name, "rate", rate, rate >= 0, "at least 0 and finite");
}

STRATA_INLINE double ExponentialDecay::share_of(int epoch, int) const {
  return std::pow(rate, epoch);
}

STRATA_INLINE void CosineDecay::check() const {
  detail::check_setting(name, "epochs", epochs, epochs >= 0, "at least 0");
  detail::check_setting(name, "minimum", minimum, minimum >= 0 && minimum <= 1, "in [0, 1]");
}

STRATA_INLINE double CosineDecay::share_of(int epoch, int epochs_of_fit) const {
  constexpr double pi = 3.141592653589793;
  const double length = epochs > 0 ? epochs : epochs_of_fit;
  const double cosine = 0.5 * (1 + std::cos(pi * std::min(1.0, epoch / length)));
  // Rounded once with every instruction set.
  return std::fma(1 - minimum, cosine, minimum);
}

}  // namespace strata::inline STRATA_RUNTIME
