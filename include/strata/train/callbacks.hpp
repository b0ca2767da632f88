#pragma once

#include <string>
#include <vector>

#include <strata/shape.hpp>
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
  void on_train_begin(TrainingRun& run);

  void on_epoch_end(TrainingRun& run, int, Logs& logs);

  void visit_state(StateVisitor& visit);

  void on_train_end(TrainingRun& run) const;
};

/// Keeps the moving average of the weights over the batches, average = decay average + (1 - decay)
/// weights, which begins with the first weights, and leaves the model with it at the end (Polyak &
/// Juditsky 1992; Keras' use_ema and SwapEMAWeights). Epochs are validated with the average, and
/// callbacks behind it in the list see it at the end of an epoch, so that EarlyStopping and
/// ModelCheckpoint keep the best average.
///
///   model.fit(x, y, {.epochs = 50, .callbacks = {MovingAverage{.decay = 0.999}}});
struct MovingAverage {
  /// From 0 up to, and without, 1. Keras' default; the average goes back over some 1 / (1 - decay)
  /// batches.
  double decay = 0.99;

  struct Memory {
    std::vector<double> average;
    /// The weights that are trained, while the model has the average; empty otherwise.
    std::vector<double> trained;
  } memory{};

  /// Throws ValueError on a decay out of range.
  void on_train_begin(TrainingRun& run);
  void on_epoch_begin(TrainingRun& run, int);
  void on_batch_end(TrainingRun& run, Index batch, const Logs&);
  void on_train_end(TrainingRun& run) const;

  void visit_state(StateVisitor& visit);
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

  void visit_state(StateVisitor& visit);

  /// Throws ValueError on options out of range and on a factor that would not reduce the rate, when
  /// the training has no figure named `monitor`, when neither `mode` nor the figure says which way
  /// the figure gets better, and beside a schedule that would overwrite the rate.
  void on_train_begin(TrainingRun& run);

  void on_epoch_end(TrainingRun& run, int, Logs& logs);

  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/callbacks_definitions.hpp>
#endif
