#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/batch_reader.hpp>
#include <strata/model/own_batch.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/state.hpp>
#include <strata/random.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/batch_checks.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/callback_calls.hpp>
#include <strata/train/class_weights.hpp>
#include <strata/train/decisions.hpp>
#include <strata/train/divided_moments.hpp>
#include <strata/train/evaluation.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/fit_checks.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/fit_variables.hpp>
#include <strata/train/history.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/progress_bar.hpp>
#include <strata/train/same_everywhere.hpp>
#include <strata/train/same_training.hpp>
#include <strata/train/samples.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/train_batch.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training.hpp>
#include <strata/train/training_state.hpp>
#include <strata/train/trial_build.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The loop of a training over epochs and batches, with all variables that change from the first
/// batch to the last. state() copies these variables, resume_from() takes them from a copy.
template <class Scalar>
class Fit final : public TrainingRun {
 public:
  /// Checks options and data, and throws on faulty ones, before anything changes. Of a source it
  /// sees the first batch alone, and checks each batch when its turn comes.
  Fit(const TrainableNetwork<Scalar>& model, Training<Scalar>& training,
      const AnySource<Scalar>& data, const FitOptions<Scalar>& options)
      : TrainingRun(options.epochs, batches_of(training_samples(data.size(), options), options)),
        model_(model),
        build_(model_),
        training_(training),
        options_(options),
        call_back_(*this, model_, training.update.optimizer),
        data_(data),
        samples_(training_samples(data.size(), options)),
        now_{.epoch = options.initial_epoch, .totals = Totals<Scalar>(training.metrics)} {
    check_source_options(options, !data.all(), options.validation_data.source() != nullptr);
    const Batch<Scalar>& first = data.all() ? *data.all() : filled_first(data);
    check_fit(model_, training.loss, first.x, data.size(), options);
    if (const auto* tensors = options.validation_data.tensors()) {
      validation_samples_.emplace(
          Batch<Scalar>{view_of(tensors->first), view_of(tensors->second), options.validation_mask,
                        options.validation_sample_weight, options.validation_state});
      check_validation(model_, training.loss, first.x, *validation_samples_->all());
    }
    prepare(model_, build_, training, first.x, {first.y, first.sample_weight}, first.mask);
    if (!options.class_weight.empty()) {
      const Shape output = model_.output_shape(first.x.shape());
      check_class_weights(options.class_weight, output, training.loss);
      (void)times_class_weights(first.sample_weight, options.class_weight, first.y, output,
                                training.loss);
    }
    check_initial_state("initial_state", model_, first.state, first.x.batch());
    begin_validation();
    warnings_of_data_ = training_.warnings(model_, first.x.shape(), first.y, first.mask);
    name_figures();
    if (peers()) {
      require_same_training(*peers(), model_, training_, figures_, options_, data_,
                            validation_.count > 0 ? validation_.source : nullptr, variables());
    }
    if (!is_first()) return;
    callbacks_ = options.callbacks;
    if (options.verbose > 0) callbacks_.push_back(ProgressBar{.lines = options.verbose > 1});
  }

  History run() {
    // An error in the first step must not take back the last update of another fit.
    training_.update.optimizer.forget();
    call_back_.begin(!callbacks_.empty());
    call_back_([&] { begin(); });
    if (options_.initial_epoch > 0) training_.epochs_trained = options_.initial_epoch;
    const ScheduledRate rate{*this, training_.update.optimizer};
    bool resumes = resumed_.has_value();
    if (peers()) broadcast_value(*peers(), resumes);
    if (resumes) resume();
    build_.keep();
    DividedMoments<Scalar> divided(model_, training_.update.optimizer);
    const Random random(options_.seed);
    // A training that goes on from the middle of its last epoch finishes the epoch.
    while (now_.epoch < options_.epochs && (!stopped() || now_.batch > 0)) {
      if (now_.batch == 0) call_back_([&] { begin_epoch(); });
      Logs logs = train(random.fork(static_cast<std::uint64_t>(training_.epochs_trained)));
      ++training_.epochs_trained;
      if (validation_.count > 0) validate(logs);
      call_back_([&] {
        for (auto& callback : callbacks_) callback.on_epoch_end(*this, now_.epoch, logs);
      });
      if (peers() && call_back_.has_callbacks()) broadcast_logs(*peers(), logs);
      if (peers()) require_same_weights<Scalar>(*peers(), model_, now_.epoch + 1);
      now_.history.append(logs);
      now_.batch = 0;
      const Progress progress{now_.epoch++, batches(), &logs};
      call_back_([&] {
        for (auto& callback : callbacks_) callback.on_rest(*this, progress);
      });
    }
    call_back_([&] {
      for (auto& callback : callbacks_) callback.on_train_end(*this);
    });
    divided.join();
    return now_.history;
  }

  double learning_rate() const override { return training_.update.optimizer.learning_rate(); }
  void set_learning_rate(double rate) override {
    training_.update.optimizer.adjust_learning_rate(rate);
  }
  double initial_learning_rate() const override {
    return training_.update.optimizer.initial_learning_rate();
  }
  std::vector<Figure> figures() const override { return figures_; }
  /// Hands a warning to the callbacks, once for each text; to std::cerr where no callback takes it.
  void warn(const std::string& text) override {
    if (!is_first()) return;
    if (!warnings_.insert(text).second) return;
    bool taken = false;
    for (auto& callback : callbacks_) taken = callback.on_warning(*this, text) || taken;
    if (!taken) std::cerr << "strata: warning: " << text << '\n';
  }
  std::vector<double> weights() const override {
    const auto weights = model_.weights();
    return {weights.begin(), weights.end()};
  }
  void set_weights(const std::vector<double>& weights) override {
    const std::vector<Scalar> converted(weights.begin(), weights.end());
    model_.set_weights(converted);
    call_back_.note_new_weights();
  }

  TrainingState state() override {
    call_back_.collect_moments();
    TrainingState state{model_.input(), {}, {}, model_.parameter_rules(), {}};
    for (const auto& layer : model_.layers()) state.layers.push_back(layer.description());
    for (const auto& parameter : model_.parameters()) {
      state.weights.push_back(
          {parameter.name, parameter.shape,
           std::vector<Scalar>(parameter.values.begin(), parameter.values.end())});
    }
    visit_state(StateVisitor(state));
    return state;
  }
  void resume_from(TrainingState state) override { resumed_ = std::move(state); }

 private:
  /// The samples with which the training is validated.
  struct Validation {
    const AnySource<Scalar>* source = nullptr;
    Index first = 0;
    Index count = 0;
  };

  /// The first batch of a source, which stands for all others in the checks.
  [[nodiscard]] const Batch<Scalar>& filled_first(const AnySource<Scalar>& source) {
    if (source.size() < 1) detail::raise<ShapeError>("fit: the source has no samples");
    const Index count = (std::min)(options_.batch_size, source.size());
    BatchReader<Scalar> reader(source, division(), numbers_from(0, count), count);
    (void)reader.read(batch_);
    check_batch(model_, training_, batch_, reader.last_numbers(), reader.last_rows());
    return batch_;
  }

  /// Layers that mix the sequences of a batch are computed by each process for the whole batch.
  [[nodiscard]] Division division() const { return {peers(), model_.mixes_sequences()}; }

  void begin_validation() {
    const ValidationData<Scalar>& given = options_.validation_data;
    if (given.source()) {
      validation_ = {given.source(), 0, given.source()->size()};
      if (validation_.count < 1) {
        detail::raise<ShapeError>("fit: the source of validation_data has no samples");
      }
    } else if (validation_samples_) {
      const Batch<Scalar>& all = *validation_samples_->all();
      check_initial_state("validation_state", model_, all.state, all.x.batch());
      validation_ = {&*validation_samples_, 0, all.x.batch()};
    } else {
      validation_ = {&data_, samples_, data_.size() - samples_};
    }
  }

  [[nodiscard]] static Index batches_of(Index samples, const FitOptions<Scalar>& options) {
    return samples / options.batch_size + (samples % options.batch_size != 0 ? 1 : 0);
  }

  /// Lists the figures that the training itself computes: loss and metrics.
  void name_figures() {
    for (const std::string prefix : {"", "val_"}) {
      if (!prefix.empty() && validation_.count == 0) return;
      figures_.push_back({prefix + "loss", Mode::min});
      for (const auto& metric : training_.metrics) {
        figures_.push_back({prefix + metric.name(), metric.mode()});
      }
    }
  }

  /// Begins the callbacks. They throw here on faulty options; nothing has changed before. Each
  /// callback finds the figures of the callbacks before it.
  void begin() {
    for (auto& callback : callbacks_) {
      callback.on_train_begin(*this);
      for (Figure& figure : callback.figures()) {
        const auto same = [&](const Figure& known) { return known.name == figure.name; };
        if (detail::none_of(figures_, same)) figures_.push_back(std::move(figure));
      }
    }
    for (const std::string& text : warnings_of_data_) warn(text);
  }

  /// At the end of a training with a schedule, also one that an exception ends, gives the optimizer
  /// its initial rate back.
  struct ScheduledRate {
    ScheduledRate(const TrainingRun& training, Optimizer<Scalar>& of)
        : run(training), optimizer(of) {}
    ScheduledRate(const ScheduledRate&) = delete;
    ScheduledRate& operator=(const ScheduledRate&) = delete;
    ~ScheduledRate() {
      if (run.is_scheduled()) optimizer.restore_learning_rate();
    }
    const TrainingRun& run;
    Optimizer<Scalar>& optimizer;
  };

  void begin_epoch() {
    for (auto& callback : callbacks_) callback.on_epoch_begin(*this, now_.epoch);
  }

  /// Goes on from `resumed_`. In the middle of an epoch the callbacks get on_epoch_begin first.
  /// What they change then is in the state already, which is therefore taken a second time.
  void resume() {
    if (is_first()) {
      set_state(*resumed_);
      if (now_.batch != 0) {
        begin_epoch();
        set_state(*resumed_);
      }
    }
    if (peers()) share_training(*peers(), model_, variables());
  }

  [[nodiscard]] Peers* peers() const noexcept { return model_.peers(); }
  /// Whether this process calls callbacks and prints.
  [[nodiscard]] bool is_first() const noexcept { return !peers() || peers()->is_first(); }

  /// Trains one epoch, or the rest of one. Returns its loss and metrics.
  [[nodiscard]] Logs train(const Random& random) {
    if (now_.batch == 0) now_.totals = Totals<Scalar>(training_.metrics);
    BatchReader<Scalar> reader(
        data_, division(),
        options_.shuffle ? shuffled(samples_, random.fork(0)) : numbers_from(0, samples_),
        options_.batch_size, now_.batch, data_.all() ? 0 : options_.read_ahead);
    const Random dropout = random.fork(1);
    while (!stopped_now() && reader.read(batch_)) {
      if (!data_.all())
        check_batch(model_, training_, batch_, reader.last_numbers(), reader.last_rows());
      const Index count = batch_.x.batch();
      if (!options_.class_weight.empty()) {
        batch_.sample_weight =
            times_class_weights(std::move(batch_.sample_weight), options_.class_weight, batch_.y,
                                model_.output_shape(batch_.x.shape()), training_.loss);
      }
      if (!batch_.state.empty()) {
        now_.state = batch_.state;
      } else if (!options_.stateful || now_.batch == 0) {
        now_.state = model_.zero_state(count);
      }
      train_batch(model_, training_, options_, batch_,
                  dropout.fork(static_cast<std::uint64_t>(now_.batch)), now_.state, now_.totals);
      now_.totals.end_batch(count);
      const Index done = now_.batch++;
      if (!call_back_.has_callbacks()) continue;
      call_back_([&] {
        const Logs logs = logs_of(now_.totals.means(), "");
        for (auto& callback : callbacks_) callback.on_batch_end(*this, done, logs);
        for (auto& callback : callbacks_)
          callback.on_rest(*this, {now_.epoch, now_.batch, nullptr});
      });
    }
    return logs_of(now_.totals.means(), "");
  }

  void validate(Logs& logs) const {
    const Evaluation figures = evaluate(model_, training_, *validation_.source, validation_.first,
                                        validation_.count, options_.batch_size);
    for (const auto& [name, value] : logs_of(figures, "val_")) logs.set(name, value);
  }

  /// Visits all variables of the training, to copy them into a state or out of one. The settings on
  /// which they depend must be the same.
  void visit_state(StateVisitor visit) {
    visit_training(visit);
    visit.within("settings").require_same("callbacks", callbacks_.size());
    for (std::size_t i = 0; i < callbacks_.size(); ++i) {
      StateVisitor own = visit.within("callback_" + std::to_string(i));
      callbacks_[i].visit_state(own);
    }
  }

  /// The same without callbacks.
  void visit_training(StateVisitor visit) {
    detail::visit_training(visit, *this, now_, training_, options_, samples_, model_.size());
  }
  [[nodiscard]] auto variables() {
    return [this](StateVisitor visit) { visit_training(visit); };
  }

  void set_state(const TrainingState& state) {
    const std::vector<Scalar> weights = weights_of<Scalar>(state, model_.parameters());
    StateVisitor visit(state);
    visit_state(visit);
    visit.finish();
    model_.set_weights(weights);
  }

  TrainableNetwork<Scalar> model_;
  TrialBuild<Scalar> build_;
  Training<Scalar>& training_;
  const FitOptions<Scalar>& options_;
  /// In the first of several processes alone.
  std::vector<Callback> callbacks_;
  CallbackCalls<Scalar> call_back_;
  const AnySource<Scalar>& data_;
  /// The number of samples of data_ that are trained.
  Index samples_;
  std::optional<MemorySamples<Scalar>> validation_samples_;
  Validation validation_;
  Batch<Scalar> batch_;
  FitVariables<Scalar> now_;
  std::optional<TrainingState> resumed_;
  std::vector<Figure> figures_;
  std::vector<std::string> warnings_of_data_;
  /// The warnings that have been given.
  std::set<std::string> warnings_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
