#pragma once

#include <algorithm>
#include <cmath>

#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/schedules.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// From `begin` to `end` along half a cosine, at a share of the way, beyond 1 at its end.
[[nodiscard]] inline double along_cosine(double begin, double end, double share) {
  constexpr double pi = 3.141592653589793;
  const double cosine = 0.5 * (1 + std::cos(pi * (std::min)(1.0, share)));
  // Rounded once with every instruction set.
  return std::fma(begin - end, cosine, end);
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void LearningRateScheduler::on_train_begin(TrainingRun& run) const {
  if (!schedule) detail::raise<ValueError>("LearningRateScheduler: the schedule is empty");
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
  const double length = epochs > 0 ? epochs : epochs_of_fit;
  return detail::along_cosine(1, minimum, epoch / length);
}

STRATA_INLINE void WarmUp::check() const {
  detail::check_setting(name, "epochs", epochs, epochs >= 1, "at least 1");
  detail::check_setting(name, "start", start, start >= 0 && start <= 1, "in [0, 1]");
  detail::check_setting(name, "minimum", minimum, minimum >= 0 && minimum <= 1, "in [0, 1]");
}

STRATA_INLINE double WarmUp::share_of(int epoch, int epochs_of_fit) const {
  if (epoch < epochs) return std::fma(1 - start, static_cast<double>(epoch) / epochs, start);
  const double rest = (std::max)(1, epochs_of_fit - epochs);
  return detail::along_cosine(1, minimum, (epoch - epochs) / rest);
}

STRATA_INLINE void OneCycle::check() const {
  detail::check_setting(name, "growing", growing, growing >= 0 && growing <= 1, "in [0, 1]");
  detail::check_setting(name, "start", start, start >= 0 && start <= 1, "in [0, 1]");
  detail::check_setting(name, "minimum", minimum, minimum >= 0 && minimum <= 1, "in [0, 1]");
}

STRATA_INLINE double OneCycle::share_of(int epoch, int epochs_of_fit) const {
  const double last = (std::max)(1, epochs_of_fit - 1);
  const double peak = growing * epochs_of_fit - 1;
  if (epoch <= peak) return detail::along_cosine(start, 1, peak > 0 ? epoch / peak : 1);
  return detail::along_cosine(
      1, minimum, (epoch - (std::max)(peak, 0.0)) / (std::max)(last - (std::max)(peak, 0.0), 1e-9));
}

}  // namespace strata::inline STRATA_RUNTIME
