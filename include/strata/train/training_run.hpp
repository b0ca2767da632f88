#pragma once

#include <string>
#include <vector>

#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/history.hpp>
#include <strata/train/state_visitor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A training while it runs, as callbacks see and steer it.
class TrainingRun {
 public:
  TrainingRun(int epochs, Index batches);
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;
  virtual ~TrainingRun() = default;

  /// The number of the last epoch, counted from 1, unless the training is stopped before.
  [[nodiscard]] int epochs() const noexcept { return epochs_; }
  /// The number of batches in one epoch.
  [[nodiscard]] Index batches() const noexcept { return batches_; }

  [[nodiscard]] virtual double learning_rate() const = 0;
  virtual void set_learning_rate(double rate) = 0;
  /// The rate that the optimizer was given, whatever callbacks have set since.
  [[nodiscard]] virtual double initial_learning_rate() const { return learning_rate(); }

  /// The figures that the logs of each epoch will have: loss, metrics, val_loss, ..., and the
  /// figures of the callbacks that come before the asking callback in the list.
  [[nodiscard]] virtual std::vector<Figure> figures() const { return {}; }

  /// Warns the user of something that is allowed but may be a mistake.
  virtual void warn(const std::string&) {}

  /// All weights of the model, exact in double.
  [[nodiscard]] virtual std::vector<double> weights() const = 0;
  virtual void set_weights(const std::vector<double>& weights) = 0;

  /// A copy of all numbers with which the training can go on with the same bits. Complete only in
  /// on_rest.
  [[nodiscard]] virtual TrainingState state();
  /// Makes the training go on from a state. For on_train_begin. The training throws ValueError when
  /// the state is that of another training.
  virtual void resume_from(TrainingState);

  /// For on_train_begin of a callback that sets the rate of each epoch, whatever the rate was
  /// before. Throws ValueError when another callback changes the rate too, since its changes would
  /// be overwritten.
  void schedule_learning_rate(const std::string& callback);
  /// For on_train_begin of a callback that changes the rate at the end of an epoch. Throws
  /// ValueError when another callback would overwrite the rate.
  void adjust_learning_rate(const std::string& callback);
  /// For on_train_begin of a callback that computes the rate of an epoch from the rate so far. The
  /// callback may stand behind a schedule in the list, not before it.
  void transform_learning_rate(const std::string& callback) { adjustment_ = callback; }

  /// Whether a schedule sets the rate.
  [[nodiscard]] bool is_scheduled() const noexcept { return !schedule_.empty(); }

  /// Ends the training after this epoch.
  void stop() noexcept { stopped_ = true; }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  /// For on_batch_end: ends the training after this batch, as Keras' stop_training. The figures of
  /// the epoch are those of its batches so far; it is validated and ends as any other.
  void stop_now() noexcept {
    stopped_ = true;
    stopped_now_ = true;
  }
  [[nodiscard]] bool stopped_now() const noexcept { return stopped_now_; }

 private:
  [[noreturn]] static void refuse_two(const std::string& callback, const std::string& other);

  int epochs_;
  Index batches_;
  bool stopped_ = false;
  bool stopped_now_ = false;
  /// The callbacks that change the learning rate, empty for none.
  std::string schedule_;
  std::string adjustment_;
};

/// How far a training has come.
struct Progress {
  int epoch;
  /// The number of batches of this epoch that are done.
  Index batches_done;
  /// The figures of the epoch after its end; null before.
  const Logs* logs;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/training_run_definitions.hpp>
#endif
