#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/settings.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/history.hpp>
#include <strata/train/state_visitor.hpp>
#include <strata/train/training_run.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The learning rate as a function of the epoch: an aggregate of settings with a name, check(),
/// which throws ValueError on settings that make no sense, and share_of(epoch, epochs), the share
/// of the initial rate in epoch `epoch` of `epochs`. Epochs count from 0.
template <class S>
concept Schedule = requires(const S& schedule) {
  { S::name } -> std::convertible_to<const char*>;
  schedule.check();
  { schedule.share_of(0, 1) } -> std::same_as<double>;
};

/// The callback that sets the rates of a schedule.
template <Schedule S>
struct Scheduled {
  S schedule;
  double initial = 0;

  void visit_state(StateVisitor& visit) { visit("initial", initial); }

  /// Throws ValueError on settings that the schedule refuses, when another callback sets the rate
  /// too, and when the rate of the last epoch would not be finite.
  void on_train_begin(TrainingRun& run) {
    schedule.check();
    run.schedule_learning_rate(S::name);
    initial = run.initial_learning_rate();
    const double last = initial * schedule.share_of(run.epochs() - 1, run.epochs());
    check_setting(S::name, "the rate of the last epoch", last, last >= 0, "at least 0 and finite");
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    run.set_learning_rate(initial * schedule.share_of(epoch, run.epochs()));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }
};

}  // namespace strata::detail::inline STRATA_RUNTIME
