#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/model/options.hpp>
#include <strata/target.hpp>
#include <strata/train/history.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/output_checks.hpp>
#include <strata/train/sharded_pass.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training_state.hpp>
#include <strata/train/weight_rules.hpp>

namespace strata::inline STRATA_TARGET {

/// What one training step is given besides its data.
struct StepOptions {
  /// Of everything random.
  Random random = Random();
  /// The standard deviation of what is added to the weights for this step (Graves 2011).
  double weight_noise = 0;
};

/// How a model is trained: optimizer, loss and metrics, and the step that uses them.
template <class Scalar>
class Training {
 public:
  /// Throws ValueError on settings that make no sense or do not go together.
  Training(Optimizer<Scalar> how, Loss<Scalar> what, std::vector<Metric<Scalar>> figures,
           WeightRules weight_rules)
      : optimizer(std::move(how)),
        loss(std::move(what)),
        metrics(std::move(figures)),
        rules(std::move(weight_rules)) {
    detail::check_metric_names(metrics);
    detail::check_metric_targets(loss, metrics);
    detail::check_rule_settings(rules);
  }

  /// Forward, loss, backward, update for one batch of checked data; the loss before the update.
  /// Throws ValueError when the loss, a gradient or a new weight is not finite: weights and
  /// optimizer are those from before then, and the state of the context is undefined.
  double step(TrainableNetwork<Scalar>& network, const Tensor<Scalar>& x, const Tensor<Scalar>& y,
              const StepOptions& options, const SequenceContext<Scalar>& context,
              Totals<Scalar>* totals) {
    const Tensor<Scalar>& prediction = forward(network, x, options, context);
    const Mask& mask = work_.pass.output_mask();
    const auto parameters = network.parameters();
    std::size_t count = 0;
    for (const auto& parameter : parameters) count += parameter.values.size();
    work_.gradient.assign(count, Scalar(0));
    const double value = measure(prediction, y, work_.pass.derivative(), mask) +
                         detail::penalty(rules, parameters, std::span<Scalar>(work_.gradient));
    const auto advice = [&] { return this->advice(network, x, y); };
    require_finite_loss(value, advice);
    if (totals) totals->add_part(value, prediction, y, mask);

    work_.pass.backward(network, x, work_.gradient);
    update(parameters, work_.gradient, network.threads(), advice,
           [&] { work_.pass.absorb(network); });
    return value;
  }

  /// The loss of a batch, and its derivative by the prediction. In the first step it is seen to
  /// that the loss writes its whole derivative.
  double measure(const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                 Tensor<Scalar>& derivative, const Mask& mask) {
    if (has_measured_) return loss(prediction, target, &derivative, mask);
    const double value = loss.with_checked_derivative(prediction, target, derivative, mask);
    has_measured_ = mask.empty() || mask.count() > 0;
    return value;
  }

  /// Throws ValueError unless a loss is finite. advice(): what the user may change.
  template <class Advice>
  static void require_finite_loss(double value, Advice advice) {
    if (detail::is_finite(value)) return;
    fail_not_finite(detail::is_nan(value) ? "the loss is not a number" : "the loss is infinite",
                    advice());
  }

  /// Takes a gradient to new weights, to which the constraints and then absorb(), what training
  /// changes besides, are applied. Throws ValueError when the gradient or a new weight is not
  /// finite; weights and optimizer are those from before then.
  template <class Advice, class Absorb>
  void update(const std::vector<Parameter<Scalar>>& parameters, std::span<Scalar> gradient,
              const detail::Threads& threads, Advice advice, Absorb absorb) {
    try {
      optimizer.update(parameters, gradient, threads);
    } catch (const detail::NotFinite&) {
      if (detail::all_finite(std::span<const Scalar>(gradient), threads)) throw;
      fail_not_finite("a gradient is not finite", advice());
    }
    for (const auto& parameter : parameters) {
      for (const auto& [name, rule] : rules.constraints) {
        if (detail::is_named(parameter.name, name)) detail::constrain(rule, parameter);
      }
    }
    absorb();
    for (const auto& parameter : parameters) {
      // The optimizer has looked at its own results.
      if (parameter.trainable && rules.constraints.empty()) continue;
      if (detail::all_finite(std::span<const Scalar>(parameter.values), threads)) continue;
      optimizer.undo(parameters);
      fail_not_finite("a weight is not finite after the update", optimizer.advice());
    }
  }

  /// What a user may change where the loss or a gradient is not finite.
  [[nodiscard]] std::string advice(const Network<Scalar>& network, const Tensor<Scalar>& x,
                                   const Tensor<Scalar>& y) const {
    const auto largest = [](const Tensor<Scalar>& values) {
      double most = 0;
      for (const Scalar value : values.values()) {
        most = std::max(most, std::abs(static_cast<double>(value)));
      }
      return most;
    };
    // Class numbers are not to be scaled.
    const bool x_is_ids = network.layers().front().accepts() == Accepts::ids;
    const double most_x = x_is_ids ? 0 : largest(x);
    const double most_y = loss.targets() == Targets::classes ? 0 : largest(y);
    const bool is_first = optimizer.iterations() == 0;
    constexpr double large = 1e4;
    const std::string sizes = most_x > large || most_y > large
                                  ? detail::message({"scale the data to about 1: x goes up to ",
                                                     most_x, ", y up to ", most_y})
                                  : std::string();
    if (!is_first) return optimizer.advice() + (sizes.empty() ? "" : ", and " + sizes);
    return "This is the first step, so that the learning rate is not the reason: " +
           (sizes.empty() ? "look at the weights that the model has been given, and at the loss"
                          : sizes);
  }

  /// Throws ValueError when the outputs of a network, which it has for x of a shape, are not what
  /// the loss takes, and on targets that do not fit.
  void check(const Network<Scalar>& network, const Shape& x, const Tensor<Scalar>& y,
             const Mask& mask) const {
    const Shape output = network.output_shape(x);
    detail::check_outputs(network, x, loss);
    detail::check_target_values("y", network, loss, y, output, mask);
    (void)detail::doubts(network, loss, metrics, y, output, mask);
  }

  /// What is allowed but may not be meant, found in checked data.
  [[nodiscard]] std::vector<std::string> warnings(const Network<Scalar>& network, const Shape& x,
                                                  const Tensor<Scalar>& y, const Mask& mask) const {
    return detail::doubts(network, loss, metrics, y, network.output_shape(x), mask);
  }

  /// Whether no step has come as far as the loss.
  [[nodiscard]] bool is_new() const noexcept { return !has_measured_; }

  /// Loss and metrics of one batch of checked data.
  void test(const Network<Scalar>& network, const typename Network<Scalar>::Packed& packed,
            const Tensor<Scalar>& x, const Tensor<Scalar>& y, SequenceContext<Scalar> context,
            Totals<Scalar>& totals) const {
    Mask mask;
    context.output_mask = &mask;
    const Tensor<Scalar> prediction = detail::forward(network, packed, x, context);
    double value = loss(prediction, y, nullptr, mask);
    if (!rules.empty()) {
      value += detail::penalty(rules, network.parameters(), std::span<Scalar>());
    }
    totals.add_part(value, prediction, y, mask);
    totals.end_batch(prediction.batch());
  }

  Optimizer<Scalar> optimizer;
  Loss<Scalar> loss;
  std::vector<Metric<Scalar>> metrics;
  WeightRules rules;
  /// By fit, since compile. An epoch's random numbers follow from the seed and from this count.
  std::int64_t epochs_trained = 0;

 private:
  /// Memory that is kept from step to step; a copy of the training starts with none.
  struct Work {
    Work() = default;
    Work(const Work&) {}
    Work(Work&&) = default;
    Work& operator=(const Work&) { return *this; }
    Work& operator=(Work&&) = default;
    ~Work() = default;

    detail::ShardedPass<Scalar> pass;
    std::vector<Scalar> gradient;
  };

  /// With weight noise, the pass uses weights of which noise is a part, and so do its derivatives.
  const Tensor<Scalar>& forward(TrainableNetwork<Scalar>& network, const Tensor<Scalar>& x,
                                const StepOptions& options,
                                const SequenceContext<Scalar>& context) {
    if (options.weight_noise <= 0) {
      return work_.pass.forward(network, x, options.random, context);
    }
    const std::vector<Scalar> clean = network.weights();
    Random random = options.random.fork(network.size());
    for (const auto& parameter : network.parameters()) {
      if (!parameter.trainable) continue;
      for (Scalar& weight : parameter.values) {
        weight += static_cast<Scalar>(options.weight_noise * random.normal());
      }
    }
    try {
      const auto& y = work_.pass.forward(network, x, options.random, context);
      network.set_weights(clean);
      return y;
    } catch (...) {
      network.set_weights(clean);
      throw;
    }
  }

  [[noreturn]] static void fail_not_finite(const char* what, const std::string& advice) {
    throw detail::NotFinite(std::string(what) + "; the weights are kept from before. " + advice);
  }

  bool has_measured_ = false;
  Work work_;
};

namespace detail {

/// Throws when x and y, with their mask, are not data for the model; builds it where it is not
/// built yet. Nothing is changed when it throws. Later batches of a training, which go on with
/// outputs and targets of the same kind, are not asked for these again.
template <class Scalar>
void prepare(Network<Scalar>& model, const Training<Scalar>& training, const Tensor<Scalar>& x,
             const Tensor<Scalar>& y, const Mask& mask, bool is_first = true) {
  check_not_empty("x", x);
  if (model.size() == 0) throw StateError("the model has no layers");
  if (model.is_built()) {
    model.check_data(x);
  } else {
    check_finite("x", x);
  }
  model.check_mask(mask, x);
  check_targets(y, model.output_shape(x.shape()), training.loss.targets());
  if (is_first) training.check(model, x.shape(), y, mask);
  model.build_for(x);
  if (!training.rules.empty()) check_rules(training.rules, model.parameters());
}

/// One training step over one batch. The user's state moves on when it succeeds.
template <class Scalar>
double train_on_batch(TrainableNetwork<Scalar> network, Training<Scalar>& training,
                      const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                      const BatchOptions<Scalar>& options, const Random& random,
                      Totals<Scalar>* totals) {
  const bool is_first = training.is_new();
  prepare(network, training, x, y, options.mask, is_first);
  if (is_first) {
    for (const std::string& text : training.warnings(network, x.shape(), y, options.mask)) {
      std::cerr << "strata: warning: " << text << '\n';
    }
  }
  State<Scalar> state;
  if (options.state) {
    state = *options.state;
    network.check_state(state, x.batch());
  }
  const auto iteration = static_cast<std::uint64_t>(training.optimizer.iterations());
  const double loss = training.step(network, x, y, {random.fork(iteration)},
                                    {&options.mask, options.state ? &state : nullptr}, totals);
  if (totals) totals->end_batch(x.batch());
  if (options.state) *options.state = std::move(state);
  return loss;
}

}  // namespace detail

/// Training for people who write their own loop. The model must outlive the trainer.
///
///   Trainer trainer{model, Adam{}, MeanSquaredError{}};
///   double loss = trainer.step(x, y);
template <class Model>
class Trainer {
 public:
  using Scalar = typename Model::scalar_type;

  Trainer(Model& model, Optimizer<Scalar> optimizer, Loss<Scalar> loss, WeightRules rules = {})
      : model_(&model), training_(std::move(optimizer), std::move(loss), {}, std::move(rules)) {}

  /// One step over one batch: forward, loss, backward, update. The loss before the update. Builds
  /// the model from the first data. Throws what fit throws; weights and optimizer are unchanged
  /// then. Of what is allowed but may not be meant the first step warns at std::cerr.
  ///
  /// With a state, long sequences are trained in windows: the state goes on from window to window,
  /// and derivatives end at the window's first step (truncated back-propagation through time,
  /// Williams & Peng 1990).
  double step(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
              const BatchOptions<Scalar>& options = {}) {
    return detail::train_on_batch(model_->trainable_network(), training_, x, y, options, random_,
                                  static_cast<Totals<Scalar>*>(nullptr));
  }

  /// The seed of dropout; 0 without a call.
  void seed(std::uint64_t seed) { random_ = Random(seed); }

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept { return training_.optimizer; }

 private:
  Model* model_;
  Training<Scalar> training_;
  Random random_;
};

}  // namespace strata::inline STRATA_TARGET
