#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <strata/model/sequential.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/progress_bar.hpp>
#include <strata/train/training.hpp>

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
        training_(training),
        options_(options) {
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
      check_targets(y_validation, model.output_shape(x_validation.shape()), targets);
      Network<Scalar>::check_mask(options.validation_mask, x_validation);
      if (x_validation.features() != x.features() && !takes_ids()) {
        fail<ShapeError>({"validation x: expects ", x.features(), " features as x has, found ",
                          x_validation.features()});
      }
    }
    prepare(model_, training, x, y, options.mask);

    data_ = part(x, y, options.mask, 0, samples);
    if (options.validation_data) {
      const auto& [x_validation, y_validation] = *options.validation_data;
      validation_ =
          part(x_validation, y_validation, options.validation_mask, 0, x_validation.batch());
    } else {
      validation_ = part(x, y, options.mask, samples, x.batch() - samples);
    }
    callbacks_ = options.callbacks;
    if (options.verbose > 0) callbacks_.push_back(ProgressBar{.lines = options.verbose > 1});
  }

  History run() {
    History history;
    good_ = model_.weights();
    const Random random(options_.seed);
    for (auto& callback : callbacks_) callback.on_train_begin(*this);
    for (int epoch = options_.initial_epoch; epoch < options_.epochs && !stopped(); ++epoch) {
      for (auto& callback : callbacks_) callback.on_epoch_begin(*this, epoch);
      Logs logs = train(random.fork(static_cast<std::uint64_t>(epoch)));
      if (!validation_.x.empty()) validate(logs);
      for (auto& callback : callbacks_) callback.on_epoch_end(*this, epoch, logs);
      history.append(logs);
    }
    for (auto& callback : callbacks_) callback.on_train_end(*this);
    return history;
  }

  double learning_rate() const override { return training_.optimizer.learning_rate(); }
  void set_learning_rate(double rate) override { training_.optimizer.set_learning_rate(rate); }
  std::vector<double> weights() const override {
    const auto weights = model_.weights();
    return {weights.begin(), weights.end()};
  }
  void set_weights(const std::vector<double>& weights) override {
    const std::vector<Scalar> converted(weights.begin(), weights.end());
    model_.set_weights(converted);
  }

 private:
  [[nodiscard]] static Index training_samples(const Tensor<Scalar>& x,
                                              const FitOptions<Scalar>& options) {
    if (options.epochs < 1) {
      fail<ValueError>({"fit: epochs must be at least 1, found ", options.epochs});
    }
    if (options.batch_size < 1) {
      fail<ValueError>({"fit: batch_size must be at least 1, found ", options.batch_size});
    }
    if (!(options.validation_split >= 0 && options.validation_split < 1)) {
      fail<ValueError>(
          {"fit: validation_split must be in [0, 1), found ", options.validation_split});
    }
    if (options.validation_data) return x.batch();
    return static_cast<Index>(
        std::floor(static_cast<double>(x.batch()) * (1 - options.validation_split)));
  }

  [[nodiscard]] static Index batches_of(Index samples, const FitOptions<Scalar>& options) {
    return (samples + options.batch_size - 1) / options.batch_size;
  }

  /// Samples with what belongs to them.
  struct Samples {
    Tensor<Scalar> x;
    Tensor<Scalar> y;
    Mask mask;
  };

  [[nodiscard]] static Samples part(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                    const Mask& mask, Index first, Index count) {
    return {x.rows(first, count), y.rows(first, count),
            mask.empty() || count == 0 ? Mask() : mask.rows(first, count)};
  }

  /// Whether x is class numbers (B, T), one for each step.
  [[nodiscard]] bool takes_ids() const {
    return model_.size() > 0 && model_.layers().front().accepts() == Accepts::ids;
  }

  void check_windows(const Tensor<Scalar>& x, Index samples) const {
    if (options_.truncate < 0) {
      fail<ValueError>({"fit: truncate must be at least 1 step, or 0, found ", options_.truncate});
    }
    if (!(options_.weight_noise >= 0)) {
      fail<ValueError>({"fit: weight_noise must be at least 0, found ", options_.weight_noise});
    }
    if (options_.truncate > 0 && x.rank() != 3 && !takes_ids()) {
      fail<ShapeError>({"fit: truncate needs sequences (B, T, F), found ", x.shape()});
    }
    if (options_.stateful && options_.shuffle) {
      throw ValueError("fit: stateful needs shuffle = false");
    }
    if (options_.stateful && samples % options_.batch_size != 0) {
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

  /// One epoch.
  [[nodiscard]] Logs train(const Random& random) {
    Totals<Scalar> totals(training_.metrics);
    const std::vector<Index> order = sample_order(random.fork(0));
    const Random dropout = random.fork(1);
    State<Scalar> state;
    for (Index batch = 0; batch < batches(); ++batch) {
      const Index first = batch * options_.batch_size;
      const Index count = std::min(options_.batch_size, data_.x.batch() - first);
      gather(data_, order, first, count, batch_);
      if (!options_.stateful || batch == 0) state = model_.zero_state(count);
      train_batch(dropout.fork(static_cast<std::uint64_t>(batch)), state, totals);
      if (callbacks_.empty()) continue;
      const Logs logs = logs_of(totals.means(), "");
      for (auto& callback : callbacks_) callback.on_batch_end(*this, batch, logs);
    }
    return logs_of(totals.means(), "");
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
      const Samples window{steps_of(batch_.x, first, count),
                           has_targets ? steps_of(batch_.y, first, count) : batch_.y,
                           batch_.mask.part(0, batch_.x.batch(), first, count)};
      if (has_targets || last) {
        step(window, random.fork(static_cast<std::uint64_t>(first)), carried, totals);
      } else {
        typename Network<Scalar>::Packed packed;
        model_.pack(packed, false);
        (void)forward(model_, packed, window.x, {&window.mask, carried});
      }
    }
  }

  void step(const Samples& samples, const Random& random, State<Scalar>* state,
            Totals<Scalar>& totals) {
    try {
      training_.step(model_, samples.x, samples.y, {random, options_.weight_noise},
                     {&samples.mask, state}, &totals);
    } catch (const ValueError&) {
      // What made the loss infinite is the update before; its weights are not good.
      model_.set_weights(good_);
      throw;
    }
    good_.swap(training_.weights_before());
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

  /// Fisher and Yates' shuffle, the same on every platform; nothing without shuffling.
  [[nodiscard]] std::vector<Index> sample_order(Random random) const {
    if (!options_.shuffle) return {};
    std::vector<Index> order(static_cast<std::size_t>(data_.x.batch()));
    std::iota(order.begin(), order.end(), Index{0});
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }
    return order;
  }

  /// The samples of one batch, in their order.
  static void gather(const Samples& all, const std::vector<Index>& order, Index first, Index count,
                     Samples& batch) {
    batch.mask = Mask();
    if (order.empty()) {
      batch = part(std::as_const(all.x), std::as_const(all.y), all.mask, first, count);
      return;
    }
    gather_rows(all.x, order, first, count, batch.x);
    gather_rows(all.y, order, first, count, batch.y);
    if (all.mask.empty()) return;
    batch.mask = Mask(count, all.mask.steps());
    for (Index i = 0; i < count; ++i) {
      const Index sample = order[static_cast<std::size_t>(first + i)];
      for (Index t = 0; t < all.mask.steps(); ++t) batch.mask.set(i, t, all.mask(sample, t));
    }
  }

  static void gather_rows(const Tensor<Scalar>& all, const std::vector<Index>& order, Index first,
                          Index count, Tensor<Scalar>& batch) {
    Shape shape = all.shape();
    shape[0] = count;
    batch.resize(shape);
    const Index size = all.size() / all.batch();
    for (Index i = 0; i < count; ++i) {
      const Index sample = order[static_cast<std::size_t>(first + i)];
      std::copy_n(all.data() + sample * size, size, batch.data() + i * size);
    }
  }

  /// A copy of some steps of all sequences; of (B, T), one number for each step, likewise.
  [[nodiscard]] static Tensor<Scalar> steps_of(const Tensor<Scalar>& all, Index first,
                                               Index count) {
    const Index features = all.rank() == 3 ? all.features() : 1;
    const Index steps = all.rank() == 3 ? all.steps() : all.features();
    Tensor<Scalar> window(all.rank() == 3 ? Shape{all.batch(), count, features}
                                          : Shape{all.batch(), count});
    for (Index b = 0; b < all.batch(); ++b) {
      std::copy_n(all.data() + (b * steps + first) * features, count * features,
                  window.data() + b * count * features);
    }
    return window;
  }

  TrainableNetwork<Scalar> model_;
  Training<Scalar>& training_;
  const FitOptions<Scalar>& options_;
  std::vector<Callback> callbacks_;
  Samples data_;
  Samples validation_;
  Samples batch_;
  std::vector<Scalar> good_;
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
TrainableNetwork<S> SequentialBase<Model, S>::trainable_network() {
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
