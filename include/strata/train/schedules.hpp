#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>

// Callbacks that set the learning rate of each epoch. StepDecay, ExponentialDecay and CosineDecay
// make it of the epoch's number and of the rate that the optimizer was given alone, so that a
// training that goes on with `initial_epoch` goes on along the curve; fit gives the optimizer its
// rate back at the end. One of them can be in a training, and no ReduceLROnPlateau beside it.

namespace strata::inline STRATA_TARGET {

/// Sets the learning rate of each epoch: schedule(epoch, rate so far), as in Keras. After another
/// schedule in the list, the rate so far is that schedule's.
struct LearningRateScheduler {
  std::function<double(int, double)> schedule;

  /// Throws ValueError when there is no schedule.
  void on_train_begin(TrainingRun& run) const {
    if (!schedule) throw ValueError("LearningRateScheduler: the schedule is empty");
    run.transform_learning_rate("LearningRateScheduler");
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    run.set_learning_rate(schedule(epoch, run.learning_rate()));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }
};

/// Multiplies the initial learning rate by `factor` every so many epochs.
struct StepDecay {
  double factor = 0.5;
  int every = 10;

  struct Memory {
    double initial = 0;
  } memory{};

  void visit_state(StateVisitor& visit) { visit("initial", memory.initial); }

  /// Throws ValueError when `every` is below 1, or `factor` negative or not finite, and when the
  /// last rate would be infinite.
  void on_train_begin(TrainingRun& run) {
    detail::check_setting("StepDecay", "every", every, every >= 1, "at least 1");
    detail::check_setting("StepDecay", "factor", factor, factor >= 0, "at least 0 and finite");
    run.schedule_learning_rate("StepDecay");
    memory.initial = run.initial_learning_rate();
    const double last = rate_of(run.epochs() - 1);
    detail::check_setting("StepDecay", "the rate of the last epoch", last, last >= 0,
                          "at least 0 and finite");
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const { run.set_learning_rate(rate_of(epoch)); }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }

 private:
  [[nodiscard]] double rate_of(int epoch) const {
    return memory.initial * std::pow(factor, epoch / every);
  }
};

/// Multiplies the initial learning rate by `rate` every epoch.
struct ExponentialDecay {
  double rate = 0.96;

  struct Memory {
    double initial = 0;
  } memory{};

  void visit_state(StateVisitor& visit) { visit("initial", memory.initial); }

  /// Throws ValueError when `rate` is negative or not finite, and when the last rate would be
  /// infinite.
  void on_train_begin(TrainingRun& run) {
    detail::check_setting("ExponentialDecay", "rate", rate, rate >= 0, "at least 0 and finite");
    run.schedule_learning_rate("ExponentialDecay");
    memory.initial = run.initial_learning_rate();
    const double last = rate_of(run.epochs() - 1);
    detail::check_setting("ExponentialDecay", "the rate of the last epoch", last, last >= 0,
                          "at least 0 and finite");
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const { run.set_learning_rate(rate_of(epoch)); }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }

 private:
  [[nodiscard]] double rate_of(int epoch) const { return memory.initial * std::pow(rate, epoch); }
};

/// Half a cosine from the initial learning rate to the share `minimum` of it, over `epochs`, or
/// over all epochs of fit when that is 0 (Loshchilov & Hutter 2017, without restarts).
struct CosineDecay {
  int epochs = 0;
  double minimum = 0;

  struct Memory {
    double initial = 0;
  } memory{};

  void visit_state(StateVisitor& visit) { visit("initial", memory.initial); }

  /// Throws ValueError when `epochs` is negative or `minimum` not in [0, 1].
  void on_train_begin(TrainingRun& run) {
    detail::check_setting("CosineDecay", "epochs", epochs, epochs >= 0, "at least 0");
    detail::check_setting("CosineDecay", "minimum", minimum, minimum >= 0 && minimum <= 1,
                          "in [0, 1]");
    run.schedule_learning_rate("CosineDecay");
    memory.initial = run.initial_learning_rate();
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    constexpr double pi = 3.141592653589793;
    const double length = epochs > 0 ? epochs : run.epochs();
    const double cosine = 0.5 * (1 + std::cos(pi * std::min(1.0, epoch / length)));
    run.set_learning_rate(memory.initial * (minimum + (1 - minimum) * cosine));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }
};

}  // namespace strata::inline STRATA_TARGET
