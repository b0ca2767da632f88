#pragma once

#include <functional>
#include <vector>

#include <strata/target.hpp>
#include <strata/train/callback.hpp>

// Callbacks that set the learning rate of each epoch. The rates of all but LearningRateScheduler
// follow from the epoch's number and the optimizer's initial rate alone, so that a
// training that goes on with `initial_epoch` goes on along the same curve. When fit ends, the
// optimizer gets its initial rate back. A training may have one of them, and no
// ReduceLROnPlateau beside it.

namespace strata::inline STRATA_RUNTIME {

/// Sets the learning rate of each epoch to schedule(epoch, rate so far), as in Keras. Epochs count
/// from 0. After another schedule in the list, the rate so far is the rate of that schedule.
///
///   LearningRateScheduler{[](int epoch, double rate) { return epoch < 10 ? rate : 0.9 * rate; }}
struct LearningRateScheduler {
  /// The rate of an epoch, at least 0 and finite, from the epoch's number and the rate so far. Must
  /// be given: there is no schedule that suits most trainings.
  std::function<double(int, double)> schedule;

  /// Throws ValueError when there is no schedule.
  void on_train_begin(TrainingRun& run) const;
  void on_epoch_begin(TrainingRun& run, int epoch) const;
  void on_epoch_end(TrainingRun& run, int, Logs& logs) const;
  [[nodiscard]] std::vector<Figure> figures() const { return {{"learning_rate"}}; }
};

/// Multiplies the learning rate by `factor` after each `every` epochs: epoch e has the initial rate
/// times factor^floor(e / every).
///
///   model.fit(x, y, {.epochs = 40, .callbacks = {StepDecay{.factor = 0.1, .every = 15}}});
struct StepDecay {
  static constexpr const char* name = "StepDecay";
  /// At least 0. One half, by itself, is a mild step; image networks often take 0.1.
  double factor = 0.5;
  /// Epochs, at least 1, between two steps.
  int every = 10;

  /// Throws ValueError when `every` is below 1, or `factor` negative or not finite.
  void check() const;
  [[nodiscard]] double share_of(int epoch, int epochs_of_fit) const;
};

/// Multiplies the learning rate by `rate` after each epoch: epoch e has the initial rate times
/// rate^e.
///
///   model.fit(x, y, {.epochs = 40, .callbacks = {ExponentialDecay{.rate = 0.9}}});
struct ExponentialDecay {
  static constexpr const char* name = "ExponentialDecay";
  /// At least 0. 0.96 takes the rate to a tenth in 56 epochs.
  double rate = 0.96;

  /// Throws ValueError when `rate` is negative or not finite.
  void check() const;
  [[nodiscard]] double share_of(int epoch, int epochs_of_fit) const;
};

/// Half a cosine from the initial learning rate down to `minimum` times it (Loshchilov & Hutter
/// 2017, equation 5, without restarts).
///
///   model.fit(x, y, {.epochs = 40, .callbacks = {CosineDecay{.minimum = 0.01}}});
struct CosineDecay {
  static constexpr const char* name = "CosineDecay";
  /// The epoch in which the minimum is reached, where the rate then stays. 0: the epochs of fit, so
  /// that the whole training is one fall.
  int epochs = 0;
  /// A share of the initial rate, from 0 to 1. 0: the rate falls to zero.
  double minimum = 0;

  /// Throws ValueError when `epochs` is negative or `minimum` not in [0, 1].
  void check() const;
  [[nodiscard]] double share_of(int epoch, int epochs_of_fit) const;
};

/// Grows evenly from `start` times the initial rate to the whole rate in the first epochs, and then
/// falls along half a cosine to `minimum` times it (Goyal et al. 2017; Loshchilov & Hutter 2017).
///
///   model.fit(x, y, {.epochs = 40, .callbacks = {WarmUp{.epochs = 3}}});
struct WarmUp {
  static constexpr const char* name = "WarmUp";
  /// Epochs, at least 1, until the whole rate is reached.
  int epochs = 5;
  /// A share of the initial rate, from 0 to 1, in the first epoch.
  double start = 0.1;
  /// A share of the initial rate, from 0 to 1, in the last epoch. 1: the rate stays.
  double minimum = 0;

  /// Throws ValueError when `epochs` is below 1, `start` or `minimum` not in [0, 1].
  void check() const;
  [[nodiscard]] double share_of(int epoch, int epochs_of_fit) const;
};

/// One cycle (Smith 2018, "A disciplined approach to neural network hyper-parameters"): the rate
/// grows from `start` times the initial rate to the whole rate along half a cosine, which takes a
/// share of the epochs, and falls along another to `minimum` times it, as PyTorch's OneCycleLR
/// does.
///
///   model.fit(x, y, {.epochs = 40, .callbacks = {OneCycle{}}});
struct OneCycle {
  static constexpr const char* name = "OneCycle";
  /// The share of the epochs in which the rate grows, from 0 to 1. PyTorch's default.
  double growing = 0.3;
  /// A share of the initial rate, from 0 to 1. 1 / 25 is PyTorch's default.
  double start = 0.04;
  /// A share of the initial rate, from 0 to 1. 1 / 250,000 is PyTorch's default.
  double minimum = 4e-6;

  /// Throws ValueError when a share is not in [0, 1].
  void check() const;
  [[nodiscard]] double share_of(int epoch, int epochs_of_fit) const;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/schedules_definitions.hpp>
#endif
