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

// Keras' callbacks that monitor a figure, with Keras' names and defaults. Callbacks that schedule
// the learning rate are in schedules.hpp. Each callback is an aggregate of options; what it
// remembers begins anew with each training.

namespace strata::inline STRATA_RUNTIME {

/// Ends the training when a figure has not got better for some epochs. A figure that is not a
/// number has not got better.
///
///   model.fit(x, y, {.epochs = 200, .validation_split = 0.2,
///                    .callbacks = {EarlyStopping{.patience = 10}}});
struct EarlyStopping {
  /// The name of a figure in the logs.
  std::string monitor = "val_loss";
  /// Which way the figure gets better; automatic: as the figure itself says.
  Mode mode = Mode::automatic;
  /// The figure must get better by more than this, at least 0, to count as better.
  double min_delta = 0;
  /// The number of epochs in a row without a better figure that ends the training, at least 0. 0,
  /// as in Keras, means 1, which is too early for noisy figures.
  int patience = 0;
  /// Whether the weights of the best epoch come back at the end. Where the figure was not a number
  /// in any epoch, no epoch is the best: the last weights stay, with a warning.
  bool restore_best_weights = true;

  struct Memory {
    detail::Best best;
    int waited = 0;
    std::vector<double> weights;
  } memory{};

  /// Throws ValueError on options out of range, when the training has no figure named `monitor`,
  /// and when neither `mode` nor the figure says which way the figure gets better.
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

/// Reduces the learning rate when a figure has not got better for some epochs. A figure that is not
/// a number has not got better. The rate stays reduced after the training, as in Keras, whose
/// defaults these are.
///
///   model.fit(x, y, {.epochs = 100, .validation_split = 0.2,
///                    .callbacks = {ReduceLROnPlateau{.factor = 0.5, .patience = 5}}});
struct ReduceLROnPlateau {
  /// The name of a figure in the logs.
  std::string monitor = "val_loss";
  /// Which way the figure gets better; automatic: as the figure itself says.
  Mode mode = Mode::automatic;
  /// The rate is multiplied by this, at least 0 and below 1.
  double factor = 0.1;
  /// The number of epochs in a row without a better figure that reduces the rate, at least 0, where
  /// 0 means 1.
  int patience = 10;
  /// The figure must get better by more than this, at least 0, to count as better.
  double min_delta = 1e-4;
  /// Epochs after a reduction that do not count as waiting, at least 0.
  int cooldown = 0;
  /// The rate is not reduced below this, at least 0.
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

  /// Throws ValueError on options out of range and on a factor that would not reduce the rate, when
  /// the training has no figure named `monitor`, when neither `mode` nor the figure says which way
  /// the figure gets better, and beside a schedule that would overwrite the rate.
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

}  // namespace strata::inline STRATA_RUNTIME
