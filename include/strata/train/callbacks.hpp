#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <strata/detail/text.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>

// Callbacks of Keras, with Keras' names and defaults. Each is an aggregate of options; what it
// remembers starts anew with each training.

namespace strata::inline STRATA_TARGET {

namespace detail {

/// Whether a figure got better. Accuracies are to grow, everything else is to shrink.
struct Best {
  double value = std::numeric_limits<double>::quiet_NaN();

  bool improves(const std::string& monitor, double now, double min_delta) {
    const bool grow = monitor.find("accuracy") != std::string::npos;
    const bool better =
        std::isnan(value) || (grow ? now - min_delta > value : now + min_delta < value);
    if (better) value = now;
    return better;
  }
};

}  // namespace detail

/// Stops when a figure has not got better for `patience` epochs.
struct EarlyStopping {
  std::string monitor = "val_loss";
  double min_delta = 0;
  int patience = 0;
  /// At the end, the weights of the best epoch come back.
  bool restore_best_weights = true;

  struct Memory {
    detail::Best best;
    int waited = 0;
    std::vector<double> weights;
  } memory{};

  void on_train_begin(TrainingRun&) { memory = {}; }

  /// Throws ValueError when there is no figure named `monitor`.
  void on_epoch_end(TrainingRun& run, int, Logs& logs) {
    if (memory.best.improves(monitor, logs[monitor], min_delta)) {
      memory.waited = 0;
      if (restore_best_weights) memory.weights = run.weights();
    } else if (++memory.waited >= patience) {
      run.stop();
    }
  }

  void visit_state(StateVisitor& visit) {
    visit("best", memory.best.value);
    visit("waited", memory.waited);
    visit("weights", memory.weights);
  }

  void on_train_end(TrainingRun& run) const {
    if (restore_best_weights && !memory.weights.empty()) run.set_weights(memory.weights);
  }
};

/// Sets the learning rate of each epoch: schedule(epoch, rate so far).
struct LearningRateScheduler {
  std::function<double(int, double)> schedule;

  /// Throws ValueError when there is no schedule.
  void on_train_begin(TrainingRun&) const {
    if (!schedule) throw ValueError("LearningRateScheduler: the schedule is empty");
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    run.set_learning_rate(schedule(epoch, run.learning_rate()));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
};

/// Multiplies the learning rate by `factor` every so many epochs.
struct StepDecay {
  double factor = 0.5;
  int every = 10;

  struct Memory {
    double initial = 0;
  } memory{};

  void visit_state(StateVisitor& visit) { visit("initial", memory.initial); }

  /// Throws ValueError when `every` is below 1.
  void on_train_begin(TrainingRun& run) {
    if (every < 1) detail::fail<ValueError>({"StepDecay: every must be at least 1, found ", every});
    memory.initial = run.learning_rate();
  }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    run.set_learning_rate(memory.initial * std::pow(factor, epoch / every));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
};

/// Multiplies the learning rate by `rate` every epoch.
struct ExponentialDecay {
  double rate = 0.96;

  struct Memory {
    double initial = 0;
  } memory{};

  void visit_state(StateVisitor& visit) { visit("initial", memory.initial); }

  void on_train_begin(TrainingRun& run) { memory.initial = run.learning_rate(); }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    run.set_learning_rate(memory.initial * std::pow(rate, epoch));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
};

/// Half a cosine from the initial learning rate to the share `minimum` of it, over `epochs`, or
/// over the whole training when that is 0 (Loshchilov & Hutter 2017, without restarts).
struct CosineDecay {
  int epochs = 0;
  double minimum = 0;

  struct Memory {
    double initial = 0;
  } memory{};

  void visit_state(StateVisitor& visit) { visit("initial", memory.initial); }

  void on_train_begin(TrainingRun& run) { memory.initial = run.learning_rate(); }
  void on_epoch_begin(TrainingRun& run, int epoch) const {
    constexpr double pi = 3.141592653589793;
    const double length = epochs > 0 ? epochs : run.epochs();
    const double cosine = 0.5 * (1 + std::cos(pi * std::min(1.0, epoch / length)));
    run.set_learning_rate(memory.initial * (minimum + (1 - minimum) * cosine));
  }
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const {
    logs.set("learning_rate", run.learning_rate());
  }
};

/// Multiplies the learning rate by `factor` when a figure has not got better for `patience` epochs,
/// down to `min_lr`.
struct ReduceLROnPlateau {
  std::string monitor = "val_loss";
  double factor = 0.1;
  int patience = 10;
  double min_delta = 1e-4;
  int cooldown = 0;
  double min_lr = 0;

  struct Memory {
    detail::Best best;
    int waited = 0;
    int cooling = 0;
  } memory{};

  void visit_state(StateVisitor& visit) {
    visit("best", memory.best.value);
    visit("waited", memory.waited);
    visit("cooling", memory.cooling);
  }

  /// Throws ValueError on a factor that would not reduce.
  void on_train_begin(TrainingRun&) {
    if (!(factor >= 0 && factor < 1)) {
      detail::fail<ValueError>({"ReduceLROnPlateau: factor must be in [0, 1), found ", factor});
    }
    memory = {};
  }

  /// Throws ValueError when there is no figure named `monitor`.
  void on_epoch_end(TrainingRun& run, int, Logs& logs) {
    logs.set("learning_rate", run.learning_rate());
    if (memory.cooling > 0) {
      --memory.cooling;
      memory.waited = 0;
    }
    if (memory.best.improves(monitor, logs[monitor], min_delta)) {
      memory.waited = 0;
    } else if (memory.cooling == 0 && ++memory.waited >= patience) {
      if (run.learning_rate() <= min_lr) return;
      run.set_learning_rate(std::max(min_lr, run.learning_rate() * factor));
      memory.cooling = cooldown;
      memory.waited = 0;
    }
  }
};

}  // namespace strata::inline STRATA_TARGET
