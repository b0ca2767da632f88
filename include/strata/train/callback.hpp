#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/history.hpp>
#include <strata/train/schedule.hpp>
#include <strata/train/state_visitor.hpp>
#include <strata/train/training_run.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Any object that acts during a training: a copyable type with some of the functions
///
///   on_train_begin(run), on_epoch_begin(run, epoch), on_batch_end(run, batch, logs),
///   on_epoch_end(run, epoch, logs), on_rest(run, progress), on_train_end(run),
///   on_warning(run, text).
///
/// Epochs and batches count from 0. Figures that on_epoch_end adds to the logs go into the history,
/// and callbacks further down the list find them in their logs. on_rest comes after each batch and
/// each epoch, when all callbacks have had their other calls. A callback whose options are wrong
/// throws in on_train_begin, before the training changes anything. Warnings that no callback takes
/// go to std::cerr.
///
/// Each fit copies the callbacks in its options and calls the copies, so that nothing that a
/// callback remembers reaches another fit. A callback with results for its user holds a pointer or
/// a reference to them.
///
/// - A callback that adds a figure to the logs names it in `figures()`, so that others can monitor
///   it: std::vector<Figure> figures() const { return {{"val_f1", Mode::max}}; }
/// - A callback that remembers something visits each remembered variable in `visit_state(visit)`,
///   so that a training that goes on from a file goes on with it; see StateVisitor.
class Callback {
 public:
  /// Wraps a schedule into the callback that sets its rates.
  template <detail::Schedule S>
  Callback(S schedule) : Callback(detail::Scheduled<S>{std::move(schedule)}) {}

  template <class C>
    requires(!std::same_as<std::remove_cvref_t<C>, Callback> && !detail::Schedule<C>)
  Callback(C callback) {
    static_assert(std::copy_constructible<C>,
                  "strata: a callback must be copyable, since each fit has a copy of its own; what "
                  "cannot be copied it holds by pointer, reference or std::shared_ptr");
    static_assert(Model<C>::does_anything,
                  "strata: this callback has none of the functions on_train_begin(run), "
                  "on_epoch_begin(run, epoch), on_batch_end(run, batch, logs), "
                  "on_epoch_end(run, epoch, logs), on_rest(run, progress), on_train_end(run), "
                  "on_warning(run, text)");
    static_assert(!Model<C>::misses_arguments,
                  "strata: a function of this callback does not take what it is called with: "
                  "on_train_begin(run), on_epoch_begin(run, epoch), on_batch_end(run, batch, "
                  "logs), on_epoch_end(run, epoch, logs), on_rest(run, progress), "
                  "on_train_end(run), on_warning(run, text), visit_state(visit), figures()");
    if constexpr (std::copy_constructible<C> && Model<C>::does_anything) {
      self_ = new Model<C>(std::move(callback));
    }
  }

  Callback(const Callback& other) : self_(other.self_ ? other.self_->clone() : nullptr) {}
  Callback(Callback&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
  Callback& operator=(Callback other) noexcept {
    std::swap(self_, other.self_);
    return *this;
  }
  ~Callback() { delete self_; }

  void on_train_begin(TrainingRun& run) { self_->on_train_begin(run); }
  void on_epoch_begin(TrainingRun& run, int epoch) { self_->on_epoch_begin(run, epoch); }
  void on_batch_end(TrainingRun& run, Index batch, const Logs& logs) {
    self_->on_batch_end(run, batch, logs);
  }
  void on_epoch_end(TrainingRun& run, int epoch, Logs& logs) {
    self_->on_epoch_end(run, epoch, logs);
  }
  void on_rest(TrainingRun& run, const Progress& progress) { self_->on_rest(run, progress); }
  void on_train_end(TrainingRun& run) { self_->on_train_end(run); }
  void visit_state(StateVisitor& visit) { self_->visit_state(visit); }
  /// The figures that the callback adds to the logs.
  [[nodiscard]] std::vector<Figure> figures() { return self_->figures(); }
  /// Hands a warning to the callback. Returns whether the callback takes warnings.
  bool on_warning(TrainingRun& run, const std::string& text) {
    return self_->on_warning(run, text);
  }

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
    [[nodiscard]] virtual std::vector<Figure> figures() = 0;
    virtual bool on_warning(TrainingRun& run, const std::string& text) = 0;
    [[nodiscard]] virtual Base* clone() const = 0;
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
    static constexpr bool takes_warnings = requires(C c, TrainingRun& r, const std::string& t) {
      c.on_warning(r, t);
    };
    static constexpr bool keeps_state = requires(C c, StateVisitor& v) { c.visit_state(v); };
    static constexpr bool adds_figures = requires(C c) {
      { c.figures() } -> std::convertible_to<std::vector<Figure>>;
    };
    static constexpr bool does_anything = begins_training || begins_epoch || ends_batch ||
                                          ends_epoch || rests || ends_training || takes_warnings;
    /// Whether the type has one of the functions, but with other arguments, so that it would never
    /// be called.
    static constexpr bool misses_arguments =
        (!begins_training && requires { &C::on_train_begin; }) ||
        (!begins_epoch && requires { &C::on_epoch_begin; }) ||
        (!ends_batch && requires { &C::on_batch_end; }) ||
        (!ends_epoch && requires { &C::on_epoch_end; }) || (!rests && requires { &C::on_rest; }) ||
        (!ends_training && requires { &C::on_train_end; }) ||
        (!takes_warnings && requires { &C::on_warning; }) ||
        (!keeps_state && requires { &C::visit_state; }) ||
        (!adds_figures && requires { &C::figures; });

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
      if constexpr (keeps_state) callback.visit_state(visit);
    }
    std::vector<Figure> figures() override {
      if constexpr (adds_figures) {
        return callback.figures();
      } else {
        return {};
      }
    }
    bool on_warning([[maybe_unused]] TrainingRun& run,
                    [[maybe_unused]] const std::string& text) override {
      if constexpr (takes_warnings) callback.on_warning(run, text);
      return takes_warnings;
    }
    Base* clone() const override { return new Model(callback); }

    C callback;
  };

  /// Owned. Not std::unique_ptr, which takes a hundredth of the compile time of a small program.
  Base* self_ = nullptr;
};

}  // namespace strata::inline STRATA_RUNTIME
