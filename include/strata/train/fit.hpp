#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/model/sequential.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/progress_bar.hpp>
#include <strata/train/training.hpp>

namespace strata {

/// Options of fit, with Keras' meaning.
template <class Scalar>
struct FitOptions {
  int epochs = 1;
  Index batch_size = 32;
  /// Draws a new order of the samples for each epoch.
  bool shuffle = true;
  /// Of the order of samples and of dropout. The same seed gives the same bits.
  std::uint64_t seed = 0;
  /// The share of the samples, from the end, that is kept for validation.
  double validation_split = 0;
  /// x and y for validation; goes before validation_split.
  std::optional<std::pair<Tensor<Scalar>, Tensor<Scalar>>> validation_data = std::nullopt;
  std::vector<Callback> callbacks = {};
  /// 0: silent, 1: progress bar, 2: a line for each epoch.
  int verbose = 1;
  /// The number of the first epoch, to go on with an earlier training.
  int initial_epoch = 0;
};

namespace detail {

/// A training over epochs and batches.
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
    if (options.validation_data) {
      const auto& [x_validation, y_validation] = *options.validation_data;
      check_not_empty("validation x", x_validation);
      check_finite("validation x", x_validation);
      check_targets(y_validation, model.output_shape(x_validation.shape()), targets);
      if (x_validation.features() != x.features()) {
        fail<ShapeError>({"validation x: expects ", x.features(), " features as x has, found ",
                          x_validation.features()});
      }
    }
    prepare(model_, x, y, targets);

    x_ = x.rows(0, samples);
    y_ = y.rows(0, samples);
    if (options.validation_data) {
      const auto& [x_validation, y_validation] = *options.validation_data;
      x_validation_ = x_validation.rows(0, x_validation.batch());
      y_validation_ = y_validation.rows(0, y_validation.batch());
    } else {
      x_validation_ = x.rows(samples, x.batch() - samples);
      y_validation_ = y.rows(samples, y.batch() - samples);
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
      if (!x_validation_.empty()) validate(logs);
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

  /// One epoch.
  [[nodiscard]] Logs train(const Random& random) {
    Totals<Scalar> totals(training_.metrics);
    const std::vector<Index> order = sample_order(random.fork(0));
    const Random dropout = random.fork(1);
    for (Index batch = 0; batch < batches(); ++batch) {
      const Index first = batch * options_.batch_size;
      const Index count = std::min(options_.batch_size, x_.batch() - first);
      const Pass pass{dropout.fork(static_cast<std::uint64_t>(batch))};
      const Tensor<Scalar>& x = gather(x_, order, first, count, x_batch_);
      const Tensor<Scalar>& y = gather(y_, order, first, count, y_batch_);
      step(x, y, pass, totals);
      if (callbacks_.empty()) continue;
      const Logs logs = logs_of(totals.means(), "");
      for (auto& callback : callbacks_) callback.on_batch_end(*this, batch, logs);
    }
    return logs_of(totals.means(), "");
  }

  void step(const Tensor<Scalar>& x, const Tensor<Scalar>& y, const Pass& pass,
            Totals<Scalar>& totals) {
    std::vector<Scalar> before = model_.weights();
    try {
      training_.step(model_, x, y, pass, &totals);
    } catch (const ValueError&) {
      // What made the loss infinite is the update before; its weights are not good.
      model_.set_weights(good_);
      throw;
    }
    good_.swap(before);
  }

  void validate(Logs& logs) const {
    Totals<Scalar> totals(training_.metrics);
    typename Network<Scalar>::Packed packed;
    model_.pack(packed, false);
    for (Index first = 0; first < x_validation_.batch(); first += options_.batch_size) {
      const Index count = std::min(options_.batch_size, x_validation_.batch() - first);
      training_.test(model_, packed, x_validation_.rows(first, count),
                     y_validation_.rows(first, count), totals);
    }
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
    std::vector<Index> order(static_cast<std::size_t>(x_.batch()));
    std::iota(order.begin(), order.end(), Index{0});
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }
    return order;
  }

  [[nodiscard]] static const Tensor<Scalar>& gather(const Tensor<Scalar>& all,
                                                    const std::vector<Index>& order, Index first,
                                                    Index count, Tensor<Scalar>& batch) {
    if (order.empty()) {
      batch = all.rows(first, count);
      return batch;
    }
    Shape shape = all.shape();
    shape[0] = count;
    batch.resize(shape);
    const Index size = all.size() / all.batch();
    for (Index i = 0; i < count; ++i) {
      const Index sample = order[static_cast<std::size_t>(first + i)];
      std::copy_n(all.data() + sample * size, size, batch.data() + i * size);
    }
    return batch;
  }

  TrainableNetwork<Scalar> model_;
  Training<Scalar>& training_;
  const FitOptions<Scalar>& options_;
  std::vector<Callback> callbacks_;
  Tensor<Scalar> x_, y_, x_validation_, y_validation_;
  Tensor<Scalar> x_batch_, y_batch_;
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
                                  const PredictOptions& options) {
  if (options.batch_size < 1) throw ValueError("evaluate: batch_size must be at least 1");
  network.check_data(x);
  check_targets(y, network.output_shape(x.shape()), training.loss.targets());
  typename Network<Scalar>::Packed packed;
  network.pack(packed, false);
  Totals<Scalar> totals(training.metrics);
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    const Index count = std::min(options.batch_size, x.batch() - first);
    training.test(network, packed, x.rows(first, count), y.rows(first, count), totals);
  }
  return totals.means();
}

template <class Scalar>
Evaluation train_on_batch(TrainableNetwork<Scalar> network, Training<Scalar>& training,
                          const Tensor<Scalar>& x, const Tensor<Scalar>& y) {
  prepare(network, x, y, training.loss.targets());
  Totals<Scalar> totals(training.metrics);
  const auto iteration = static_cast<std::uint64_t>(training.optimizer.iterations());
  training.step(network, x, y, Pass{Random(0).fork(iteration)}, &totals);
  return totals.means();
}

template <class Model, class S>
TrainableNetwork<S> SequentialBase<Model, S>::trainable_network() {
  return {static_cast<Model&>(*this).template layer_refs<TrainableRef<S>>(), setup_};
}

template <class Model, class S>
void SequentialBase<Model, S>::compile(Optimizer<S> optimizer, Loss<S> loss,
                                       std::vector<Metric<S>> metrics) {
  training_.emplace(std::move(optimizer), std::move(loss), std::move(metrics));
}

template <class Model, class S>
History SequentialBase<Model, S>::fit(const Tensor<S>& x, const Tensor<S>& y,
                                      const FitOptions<S>& options) {
  return Fit<S>(trainable_network(), compiled(training_.get()), x, y, options).run();
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::evaluate(const Tensor<S>& x, const Tensor<S>& y,
                                              const PredictOptions& options) const {
  return detail::evaluate(network(), compiled(training_.get()), x, y, options);
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::train_on_batch(const Tensor<S>& x, const Tensor<S>& y) {
  return detail::train_on_batch(trainable_network(), compiled(training_.get()), x, y);
}

template <class Model, class S>
Evaluation SequentialBase<Model, S>::test_on_batch(const Tensor<S>& x, const Tensor<S>& y) const {
  return evaluate(x, y, {.batch_size = std::max<Index>(1, x.batch())});
}

}  // namespace detail
}  // namespace strata
