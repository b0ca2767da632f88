#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/progress_bar.hpp>
#include <strata/train/samples.hpp>
#include <strata/train/training.hpp>
#include <strata/train/training_state.hpp>

namespace strata::inline STRATA_TARGET {

namespace detail {

/// A training over epochs and batches. Longer than other headers, because all of its steps work on
/// the same state: data, order, history and the best weights.
template <class Scalar>
class Fit final : public TrainingRun {
 public:
  /// Checks everything before anything changes.
  Fit(const TrainableNetwork<Scalar>& model, Training<Scalar>& training, const Tensor<Scalar>& x,
      const Tensor<Scalar>& y, const FitOptions<Scalar>& options)
      : TrainingRun(options.epochs, batches_of(training_samples(x, options), options)),
        model_(model),
        build_(model_),
        training_(training),
        options_(options),
        epoch_(options.initial_epoch),
        totals_(training.metrics) {
    const Targets targets = training.loss.targets();
    const Index samples = training_samples(x, options);
    check_not_empty("x", x);
    if (samples < 1 ||
        (samples == x.batch() && options.validation_split > 0 && !options.validation_data)) {
      fail<ValueError>(
          {"fit: validation_split leaves ", samples, " of ", x.batch(), " samples for training"});
    }
    check_windows(x, samples);
    if (options.validation_data) {
      const auto& [x_validation, y_validation] = *options.validation_data;
      check_not_empty("validation x", x_validation);
      check_finite("validation x", x_validation);
      const Shape output = model.output_shape(x_validation.shape());
      check_targets(y_validation, output, targets);
      check_target_values("validation y", model, training.loss, y_validation, output,
                          options.validation_mask);
      Network<Scalar>::check_mask(options.validation_mask, x_validation);
      if (x_validation.features() != x.features() && !takes_ids()) {
        fail<ShapeError>({"validation x: expects ", x.features(), " features as x has, found ",
                          x_validation.features()});
      }
    }
    prepare(model_, build_, training, x, y, options.mask);

    data_ = part_of(x, y, options.mask, 0, samples);
    if (options.validation_data) {
      const auto& [x_validation, y_validation] = *options.validation_data;
      validation_ =
          part_of(x_validation, y_validation, options.validation_mask, 0, x_validation.batch());
    } else {
      validation_ = part_of(x, y, options.mask, samples, x.batch() - samples);
    }
    name_figures();
    callbacks_ = options.callbacks;
    if (options.verbose > 0) callbacks_.push_back(ProgressBar{.lines = options.verbose > 1});
  }

  History run() {
    // What another fit did last is not taken back.
    training_.update.optimizer.forget();
    begin();
    const ScheduledRate rate{*this, training_.update.optimizer};
    if (resumed_) resume();
    build_.keep();
    const Random random(options_.seed);
    while (epoch_ < options_.epochs && !stopped()) {
      if (batch_number_ == 0) begin_epoch();
      Logs logs = train(random.fork(static_cast<std::uint64_t>(training_.epochs_trained)));
      ++training_.epochs_trained;
      if (!validation_.x.empty()) validate(logs);
      for (auto& callback : callbacks_) callback.on_epoch_end(*this, epoch_, logs);
      history_.append(logs);
      batch_number_ = 0;
      const Progress progress{epoch_++, batches(), &logs};
      for (auto& callback : callbacks_) callback.on_rest(*this, progress);
    }
    for (auto& callback : callbacks_) callback.on_train_end(*this);
    return history_;
  }

  double learning_rate() const override { return training_.update.optimizer.learning_rate(); }
  void set_learning_rate(double rate) override {
    training_.update.optimizer.adjust_learning_rate(rate);
  }
  double initial_learning_rate() const override {
    return training_.update.optimizer.initial_learning_rate();
  }
  std::vector<Figure> figures() const override { return figures_; }
  /// Each text comes once.
  void warn(const std::string& text) override {
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
  }

  TrainingState state() override {
    TrainingState state{model_.input(), {}, {}, {}};
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
  [[nodiscard]] static Index training_samples(const Tensor<Scalar>& x,
                                              const FitOptions<Scalar>& options) {
    if (options.epochs < 1) {
      fail<ValueError>({"fit: epochs must be at least 1, found ", options.epochs});
    }
    if (options.batch_size < 1) {
      fail<ValueError>({"fit: batch_size must be at least 1, found ", options.batch_size});
    }
    if (options.initial_epoch < 0 || options.initial_epoch >= options.epochs) {
      fail<ValueError>({"fit: initial_epoch must be at least 0 and below epochs, which is ",
                        options.epochs, "; found ", options.initial_epoch});
    }
    if (!is_finite(options.validation_split) || options.validation_split < 0 ||
        options.validation_split >= 1) {
      fail<ValueError>(
          {"fit: validation_split must be in [0, 1), found ", options.validation_split});
    }
    if (options.validation_data) return x.batch();
    return static_cast<Index>(
        std::floor(static_cast<double>(x.batch()) * (1 - options.validation_split)));
  }

  [[nodiscard]] static Index batches_of(Index samples, const FitOptions<Scalar>& options) {
    return samples / options.batch_size + (samples % options.batch_size != 0 ? 1 : 0);
  }

  /// Whether x is class numbers (B, T), one for each step.
  [[nodiscard]] bool takes_ids() const {
    return model_.size() > 0 && model_.layers().front().accepts() == Accepts::ids;
  }

  void check_windows(const Tensor<Scalar>& x, Index samples) const {
    if (options_.truncate < 0) {
      fail<ValueError>({"fit: truncate must be at least 1 step, or 0, found ", options_.truncate});
    }
    if (!is_finite(options_.weight_noise) || options_.weight_noise < 0) {
      fail<ValueError>({"fit: weight_noise must be ",
                        is_finite(options_.weight_noise) ? "at least 0" : "finite", ", found ",
                        options_.weight_noise});
    }
    if (options_.truncate > 0 && x.rank() != 3 && !takes_ids()) {
      fail<ShapeError>({"fit: truncate needs sequences (B, T, F), found ", x.shape()});
    }
    if (options_.stateful && options_.shuffle) {
      throw ValueError("fit: stateful needs shuffle = false");
    }
    if (options_.stateful && samples > options_.batch_size && samples % options_.batch_size != 0) {
      fail<ValueError>({"fit: stateful needs batches of equal size, found ", samples,
                        " samples in batches of ", options_.batch_size});
    }
    if (!options_.stateful && options_.truncate == 0) return;
    for (std::size_t i = 0; i < model_.size(); ++i) {
      const auto& layer = model_.layers()[i];
      try {
        layer.check_stream();
      } catch (const ValueError& error) {
        fail<ValueError>({"fit: stateful and truncate carry a state: layer ", i, " (",
                          layer.describe(), "): ", error.what()});
      }
    }
  }

  /// The figures of the training itself.
  void name_figures() {
    for (const std::string prefix : {"", "val_"}) {
      if (!prefix.empty() && validation_.x.empty()) return;
      figures_.push_back({prefix + "loss", Mode::min});
      for (const auto& metric : training_.metrics) {
        figures_.push_back({prefix + metric.name(), metric.mode()});
      }
    }
  }

  /// Callbacks refuse here what is wrong; nothing changes before. Each finds the figures of those
  /// before it.
  void begin() {
    for (auto& callback : callbacks_) {
      callback.on_train_begin(*this);
      for (Figure& figure : callback.figures()) {
        const auto same = [&](const Figure& known) { return known.name == figure.name; };
        if (std::ranges::none_of(figures_, same)) figures_.push_back(std::move(figure));
      }
    }
    if (options_.initial_epoch > 0) training_.epochs_trained = options_.initial_epoch;
    for (const auto& text : training_.warnings(model_, data_.x.shape(), data_.y, data_.mask)) {
      warn(text);
    }
  }

  /// Gives the optimizer its rate back at the end of a training whose rates came from a schedule,
  /// whatever ends it.
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
    for (auto& callback : callbacks_) callback.on_epoch_begin(*this, epoch_);
  }

  /// Takes the state back. In the middle of an epoch callbacks see its beginning first; what they
  /// do then is part of the state already.
  void resume() {
    set_state(*resumed_);
    if (batch_number_ == 0) return;
    begin_epoch();
    set_state(*resumed_);
  }

  /// One epoch, or the rest of it.
  [[nodiscard]] Logs train(const Random& random) {
    if (batch_number_ == 0) totals_ = Totals<Scalar>(training_.metrics);
    const std::vector<Index> order =
        options_.shuffle ? shuffled(data_.x.batch(), random.fork(0)) : std::vector<Index>();
    const Random dropout = random.fork(1);
    while (batch_number_ < batches()) {
      const Index first = batch_number_ * options_.batch_size;
      const Index count = std::min(options_.batch_size, data_.x.batch() - first);
      gather(data_, order, first, count, batch_);
      if (!options_.stateful || batch_number_ == 0) state_ = model_.zero_state(count);
      train_batch(dropout.fork(static_cast<std::uint64_t>(batch_number_)), state_, totals_);
      totals_.end_batch(count);
      const Index done = batch_number_++;
      if (callbacks_.empty()) continue;
      const Logs logs = logs_of(totals_.means(), "");
      for (auto& callback : callbacks_) callback.on_batch_end(*this, done, logs);
      for (auto& callback : callbacks_) callback.on_rest(*this, {epoch_, batch_number_, nullptr});
    }
    return logs_of(totals_.means(), "");
  }

  void train_batch(const Random& random, State<Scalar>& state, Totals<Scalar>& totals) {
    State<Scalar>* const carried = options_.stateful || options_.truncate > 0 ? &state : nullptr;
    const Index steps = takes_ids() ? batch_.x.features() : batch_.x.steps();
    const Index size = options_.truncate > 0 ? options_.truncate : steps;
    if (size >= steps) return step(batch_, random, carried, totals);
    const bool has_targets = model_.output_shape(batch_.x.shape()).rank() == 3;
    for (Index first = 0; first < steps; first += size) {
      const Index count = std::min(size, steps - first);
      const bool last = first + count == steps;
      const Samples<Scalar> window{steps_of(batch_.x, first, count),
                                   has_targets ? steps_of(batch_.y, first, count) : batch_.y,
                                   batch_.mask.part(0, batch_.x.batch(), first, count)};
      if (has_targets || last) {
        step(window, random.fork(static_cast<std::uint64_t>(first)), carried, totals, first > 0);
      } else {
        typename Network<Scalar>::Packed packed;
        model_.pack(packed, false);
        (void)forward(model_, packed, window.x,
                      {.mask = &window.mask, .state = carried, .continues = first > 0});
      }
    }
  }

  void step(const Samples<Scalar>& samples, const Random& random, State<Scalar>* state,
            Totals<Scalar>& totals, bool continues = false) {
    try {
      training_.step(model_, samples.x, samples.y, {random, options_.weight_noise},
                     {.mask = &samples.mask, .state = state, .continues = continues}, &totals);
    } catch (const NotFinite&) {
      // What led there is the update before; its weights are not good.
      training_.update.take_back(model_.parameters());
      throw;
    }
  }

  void validate(Logs& logs) const {
    Totals<Scalar> totals(training_.metrics);
    typename Network<Scalar>::Packed packed;
    model_.pack(packed, false);
    for_each_batch(
        validation_.x, PredictOptions<Scalar>{options_.batch_size, validation_.mask, nullptr},
        [&](const Tensor<Scalar>& x, const auto& context, Index first) {
          training_.test(model_, packed, x, validation_.y.rows(first, x.batch()), context, totals);
        });
    for (const auto& [name, value] : logs_of(totals.means(), "val_")) logs.set(name, value);
  }

  [[nodiscard]] static Logs logs_of(const Evaluation& means, const std::string& prefix) {
    Logs logs;
    logs.set(prefix + "loss", means.loss);
    for (const auto& [name, value] : means.metrics) logs.set(prefix + name, value);
    return logs;
  }

  /// All that the training is in, to put it away or take it back.
  void visit_state(StateVisitor visit) {
    StateVisitor settings = visit.within("settings");
    settings.require_same("samples", data_.x.batch());
    settings.require_same("batch_size", options_.batch_size);
    settings.require_same("seed", static_cast<std::int64_t>(options_.seed));
    settings.require_same("shuffle", Index{options_.shuffle});
    settings.require_same("stateful", Index{options_.stateful});
    settings.require_same("truncate", options_.truncate);
    settings.require_same("weight_noise", options_.weight_noise);
    settings.require_same("callbacks", callbacks_.size());
    visit("epoch", epoch_);
    visit("batch", batch_number_);
    visit("epochs_trained", training_.epochs_trained);
    bool stop_here = stopped();
    visit("stopped", stop_here);
    if (stop_here) stop();
    totals_.visit_state(visit.within("totals"));
    history_.visit_state(visit.within("history"));
    training_.update.optimizer.visit_state(visit.within("optimizer"));
    if (options_.stateful) {
      visit("state.batch", state_.batch);
      state_.layers.resize(model_.size());
      for (std::size_t i = 0; i < state_.layers.size(); ++i) {
        visit("state." + std::to_string(i), state_.layers[i]);
      }
    }
    for (std::size_t i = 0; i < callbacks_.size(); ++i) {
      StateVisitor own = visit.within("callback_" + std::to_string(i));
      callbacks_[i].visit_state(own);
    }
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
  std::vector<Callback> callbacks_;
  Samples<Scalar> data_;
  Samples<Scalar> validation_;
  Samples<Scalar> batch_;
  /// Where the training is: the epoch, and the number of its next batch.
  int epoch_;
  Index batch_number_ = 0;
  Totals<Scalar> totals_;
  State<Scalar> state_;
  History history_;
  std::optional<TrainingState> resumed_;
  std::vector<Figure> figures_;
  /// Those that were given.
  std::set<std::string> warnings_;
};

template <class Training>
[[nodiscard]] auto& compiled(Training* training) {
  if (!training) throw StateError("the model is not compiled; call compile(optimizer, loss) first");
  return *training;
}

template <class Scalar>
[[nodiscard]] Evaluation evaluate(const Network<Scalar>& network, const Training<Scalar>& training,
                                  const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                  const PredictOptions<Scalar>& options) {
  if (options.batch_size < 1) throw ValueError("evaluate: batch_size must be at least 1");
  check_sequences(network, x, options.mask, options.state);
  check_targets(y, network.output_shape(x.shape()), training.loss.targets());
  typename Network<Scalar>::Packed packed;
  network.pack(packed, false);
  Totals<Scalar> totals(training.metrics);
  for_each_batch(x, options, [&](const Tensor<Scalar>& part, const auto& context, Index first) {
    training.test(network, packed, part, y.rows(first, part.batch()), context, totals);
  });
  return totals.means();
}

template <class Model, class S>
TrainableNetwork<S> SequentialBase<Model, S>::trainable_network() & {
  return {static_cast<Model&>(*this).template layer_refs<TrainableRef<S>>(), setup_};
}

template <class Model, class S>
void SequentialBase<Model, S>::compile(Optimizer<S> optimizer, Loss<S> loss,
                                       std::vector<Metric<S>> metrics, const WeightRules& rules) {
  training_.emplace(std::move(optimizer), std::move(loss), std::move(metrics), rules);
}

template <class Model, class S>
void SequentialBase<Model, S>::compile(Optimizer<S> optimizer, Loss<S> loss,
                                       std::vector<Metric<S>> metrics) {
  compile(std::move(optimizer), std::move(loss), std::move(metrics), {});
}

template <class Model, class S>
History SequentialBase<Model, S>::fit(const Tensor<S>& x, const Tensor<S>& y,
                                      const FitOptions<S>& options) {
  return Fit<S>(trainable_network(), compiled(training_.get()), x, y, options).run();
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::evaluate(const Tensor<S>& x, const Tensor<S>& y,
                                              const PredictOptions<S>& options) const {
  return detail::evaluate(network(), compiled(training_.get()), x, y, options);
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::train_on_batch(const Tensor<S>& x, const Tensor<S>& y,
                                                    const BatchOptions<S>& options) {
  Training<S>& training = compiled(training_.get());
  Totals<S> totals(training.metrics);
  detail::train_on_batch(trainable_network(), training, x, y, options, Random(0), &totals);
  return totals.means();
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::test_on_batch(const Tensor<S>& x, const Tensor<S>& y,
                                                   const BatchOptions<S>& options) const {
  return evaluate(x, y, {std::max<Index>(1, x.batch()), options.mask, options.state});
}

}  // namespace detail
}  // namespace strata::inline STRATA_TARGET
