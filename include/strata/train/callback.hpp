#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/history.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_TARGET {

/// A training while it runs, as callbacks see and steer it.
class TrainingRun {
 public:
  TrainingRun(int epochs, Index batches) : epochs_(epochs), batches_(batches) {}
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;
  virtual ~TrainingRun() = default;

  /// Number of the last epoch, if nothing stops the training before.
  [[nodiscard]] int epochs() const noexcept { return epochs_; }
  /// Batches of one epoch.
  [[nodiscard]] Index batches() const noexcept { return batches_; }

  [[nodiscard]] virtual double learning_rate() const = 0;
  virtual void set_learning_rate(double rate) = 0;
  /// All weights of the model, exact in double.
  [[nodiscard]] virtual std::vector<double> weights() const = 0;
  virtual void set_weights(const std::vector<double>& weights) = 0;

  /// All that the training needs to go on with the same bits. Whole only in on_rest.
  [[nodiscard]] virtual TrainingState state() {
    throw StateError("this training has no state to keep");
  }
  /// Goes on from a state instead of the beginning. For on_train_begin. The training throws
  /// ValueError when the state is not one of it.
  virtual void resume_from(TrainingState) {
    throw StateError("this training cannot go on from a state");
  }

  /// Ends the training after this epoch.
  void stop() noexcept { stopped_ = true; }
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

 private:
  int epochs_;
  Index batches_;
  bool stopped_ = false;
};

/// How far a training has come.
struct Progress {
  int epoch;
  /// Of this epoch.
  Index batches_done;
  /// The epoch's figures when it is over, null before.
  const Logs* logs;
};

/// Anything that is to happen during a training: a type with some of
///
///   on_train_begin(run), on_epoch_begin(run, epoch), on_batch_end(run, batch, logs),
///   on_epoch_end(run, epoch, logs), on_rest(run, progress), on_train_end(run).
///
/// Epochs and batches count from 0. What on_epoch_end adds to the logs goes into the history.
/// on_rest comes after each batch and each epoch, when all callbacks are through with it.
///
/// A callback that remembers something has `visit_state(visit)` too, which names it, so that a
/// training that goes on from a file goes on with it; see StateVisitor.
class Callback {
 public:
  template <class C>
    requires(!std::same_as<std::remove_cvref_t<C>, Callback>)
  Callback(C callback) : self_(std::make_shared<Model<C>>(std::move(callback))) {}

  void on_train_begin(TrainingRun& run) const { self_->on_train_begin(run); }
  void on_epoch_begin(TrainingRun& run, int epoch) const { self_->on_epoch_begin(run, epoch); }
  void on_batch_end(TrainingRun& run, Index batch, const Logs& logs) const {
    self_->on_batch_end(run, batch, logs);
  }
  void on_epoch_end(TrainingRun& run, int epoch, Logs& logs) const {
    self_->on_epoch_end(run, epoch, logs);
  }
  void on_rest(TrainingRun& run, const Progress& progress) const { self_->on_rest(run, progress); }
  void on_train_end(TrainingRun& run) const { self_->on_train_end(run); }
  void visit_state(StateVisitor& visit) const { self_->visit_state(visit); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void on_train_begin(TrainingRun& run) = 0;
    virtual void on_epoch_begin(TrainingRun& run, int epoch) = 0;
    virtual void on_batch_end(TrainingRun& run, Index batch, const Logs& logs) = 0;
    virtual void on_epoch_end(TrainingRun& run, int epoch, Logs& logs) = 0;
    virtual void on_rest(TrainingRun& run, const Progress& progress) = 0;
    virtual void on_train_end(TrainingRun& run) = 0;
    virtual void visit_state(StateVisitor& visit) = 0;
  };

  template <class C>
  struct Model final : Base {
    static constexpr bool begins_training = requires(C c, TrainingRun& r) { c.on_train_begin(r); };
    static constexpr bool begins_epoch = requires(C c, TrainingRun& r) { c.on_epoch_begin(r, 0); };
    static constexpr bool ends_batch = requires(C c, TrainingRun& r, const Logs& l) {
      c.on_batch_end(r, Index{0}, l);
    };
    static constexpr bool ends_epoch = requires(C c, TrainingRun& r, Logs& l) {
      c.on_epoch_end(r, 0, l);
    };
    static constexpr bool rests = requires(C c, TrainingRun& r, const Progress& p) {
      c.on_rest(r, p);
    };
    static constexpr bool ends_training = requires(C c, TrainingRun& r) { c.on_train_end(r); };
    static_assert(begins_training || begins_epoch || ends_batch || ends_epoch || rests ||
                      ends_training,
                  "strata: this callback has none of the functions on_train_begin(run), "
                  "on_epoch_begin(run, epoch), on_batch_end(run, batch, logs), "
                  "on_epoch_end(run, epoch, logs), on_rest(run, progress), on_train_end(run)");

    explicit Model(C value) : callback(std::move(value)) {}

    void on_train_begin([[maybe_unused]] TrainingRun& run) override {
      if constexpr (begins_training) callback.on_train_begin(run);
    }
    void on_epoch_begin([[maybe_unused]] TrainingRun& run, [[maybe_unused]] int epoch) override {
      if constexpr (begins_epoch) callback.on_epoch_begin(run, epoch);
    }
    void on_batch_end([[maybe_unused]] TrainingRun& run, [[maybe_unused]] Index batch,
                      [[maybe_unused]] const Logs& logs) override {
      if constexpr (ends_batch) callback.on_batch_end(run, batch, logs);
    }
    void on_epoch_end([[maybe_unused]] TrainingRun& run, [[maybe_unused]] int epoch,
                      [[maybe_unused]] Logs& logs) override {
      if constexpr (ends_epoch) callback.on_epoch_end(run, epoch, logs);
    }
    void on_rest([[maybe_unused]] TrainingRun& run,
                 [[maybe_unused]] const Progress& progress) override {
      if constexpr (rests) callback.on_rest(run, progress);
    }
    void on_train_end([[maybe_unused]] TrainingRun& run) override {
      if constexpr (ends_training) callback.on_train_end(run);
    }
    void visit_state([[maybe_unused]] StateVisitor& visit) override {
      if constexpr (requires { callback.visit_state(visit); }) callback.visit_state(visit);
    }

    C callback;
  };

  std::shared_ptr<Base> self_;
};

}  // namespace strata::inline STRATA_TARGET
