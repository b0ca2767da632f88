#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/monitor.hpp>
#include <strata/train/schedules.hpp>

// Callbacks of Keras, with Keras' names and defaults: those that monitor a figure. Those that
// schedule the learning rate are in schedules.hpp. Each is an aggregate of options; what it
// remembers starts anew with each training.

namespace strata::inline STRATA_TARGET {

/// Stops when a figure has not got better for `patience` epochs. A figure that is not a number has
/// not got better.
struct EarlyStopping {
  std::string monitor = "val_loss";
  /// Which way the figure gets better; automatic: as the figure itself says.
  Mode mode = Mode::automatic;
  /// What the figure must get better by.
  double min_delta = 0;
  int patience = 0;
  /// At the end, the weights of the best epoch come back. Where the figure was not a number in any
  /// epoch there is no best one: the last weights stay, with a warning.
  bool restore_best_weights = true;

  struct Memory {
    detail::Best best;
    int waited = 0;
    std::vector<double> weights;
  } memory{};

  /// Throws ValueError on options out of range, when the training has no figure named `monitor`,
  /// and when it is not known which way that gets better.
  void on_train_begin(TrainingRun& run) {
    detail::check_setting("EarlyStopping", "min_delta", min_delta, min_delta >= 0,
                          "at least 0 and finite");
    detail::check_setting("EarlyStopping", "patience", patience, patience >= 0, "at least 0");
    memory = {};
    memory.best.monitor("EarlyStopping", monitor, mode, run);
  }

  void on_epoch_end(TrainingRun& run, int, Logs& logs) {
    if (memory.best.improves(logs[monitor], min_delta)) {
      memory.waited = 0;
      if (restore_best_weights) memory.weights = run.weights();
    } else if (++memory.waited >= patience) {
      run.stop();
    }
  }

  void visit_state(StateVisitor& visit) {
    memory.best.visit_state(visit);
    visit("waited", memory.waited);
    visit("weights", memory.weights);
  }

  void on_train_end(TrainingRun& run) const {
    if (!restore_best_weights) return;
    if (memory.best.has_value()) {
      run.set_weights(memory.weights);
    } else {
      run.warn("EarlyStopping: " + monitor +
               " was not a number in any epoch, so none is the best; the last weights stay");
    }
  }
};

/// Multiplies the learning rate by `factor` when a figure has not got better for `patience` epochs,
/// down to `min_lr`. A figure that is not a number has not got better. The rate stays reduced after
/// the training, as in Keras.
struct ReduceLROnPlateau {
  std::string monitor = "val_loss";
  /// Which way the figure gets better; automatic: as the figure itself says.
  Mode mode = Mode::automatic;
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
    memory.best.visit_state(visit);
    visit("waited", memory.waited);
    visit("cooling", memory.cooling);
  }

  /// Throws ValueError on options out of range and on a factor that would not reduce, when the
  /// training has no figure named `monitor`, when it is not known which way that gets better, and
  /// beside a schedule that would overwrite the rate.
  void on_train_begin(TrainingRun& run) {
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

  void on_epoch_end(TrainingRun& run, int, Logs& logs) {
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

  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }
};

}  // namespace strata::inline STRATA_TARGET
