#pragma once

#include <string>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/history.hpp>
#include <strata/train/training_run.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE TrainingRun::TrainingRun(int epochs, Index batches)
    : epochs_(epochs), batches_(batches) {}

STRATA_INLINE TrainingState TrainingRun::state() {
  detail::raise<StateError>("this training has no state to keep");
}

STRATA_INLINE void TrainingRun::resume_from(TrainingState) {
  detail::raise<StateError>("this training cannot go on from a state");
}

STRATA_INLINE void TrainingRun::schedule_learning_rate(const std::string& callback) {
  const std::string& other = schedule_.empty() ? adjustment_ : schedule_;
  if (!other.empty()) refuse_two(callback, other);
  schedule_ = callback;
}

STRATA_INLINE void TrainingRun::adjust_learning_rate(const std::string& callback) {
  if (!schedule_.empty()) refuse_two(callback, schedule_);
  adjustment_ = callback;
}

STRATA_INLINE void TrainingRun::refuse_two(const std::string& callback, const std::string& other) {
  detail::raise<ValueError>(
      callback + ": " + other +
      " changes the learning rate too, and one would overwrite the other; keep one "
      "of them");
}

}  // namespace strata::inline STRATA_RUNTIME
