#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/mask.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/model/shards.hpp>
#include <strata/random.hpp>
#include <strata/sample_weights.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/advice.hpp>
#include <strata/train/apply_weight_rules.hpp>
#include <strata/train/guarded_update.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/output_checks.hpp>
#include <strata/train/sharded_pass.hpp>
#include <strata/train/target_checks.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/weight_noise.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of a training step.
struct StepOptions {
  /// The random numbers for dropout and everything else that is random in the layers, and for the
  /// noise of weights.
  Random random = Random();
  /// The standard deviation of the noise that is added to the weights for this step (Graves 2011).
  /// 0: no noise.
  double weight_noise = 0;
  /// The standard deviation of the noise that is added to the gradients. 0: no noise.
  double gradient_noise = 0;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// What the outputs of a batch are compared with, and how much each weighs.
template <class Scalar>
struct Goal {
  const Tensor<Scalar>& y;
  const SampleWeights<Scalar>& weights;
};

/// The result of the forward pass of a training step, through one network or several that work
/// together.
template <class Scalar>
struct ForwardPass {
  /// The parameters of all networks that the step changes, in the order of the gradient.
  const std::vector<Parameter<Scalar>>& parameters;
  const Threads& threads;
  /// The outputs that the loss compares with the targets, and the pass of the network that has
  /// computed them.
  const Tensor<Scalar>& prediction;
  ShardedPass<Scalar>& pass;
};

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The optimizer, loss, metrics and weight rules with which a model is trained, and the step that
/// uses them.
template <class Scalar>
class Training {
 public:
  /// Throws ValueError on settings that make no sense or do not go together.
  Training(Optimizer<Scalar> optimizer, Loss<Scalar> loss_function,
           std::vector<Metric<Scalar>> figures, WeightRules rules)
      : update(std::move(optimizer), std::move(rules)),
        loss(std::move(loss_function)),
        metrics(std::move(figures)) {
    detail::check_metric_names(metrics);
    detail::check_metric_targets(loss, metrics);
  }

  /// One training step over a batch of checked data: forward, loss, backward, update. Returns the
  /// loss before the update, and adds loss and metrics to `totals` unless that is null. Throws
  /// ValueError when the loss, a gradient or a new weight is not finite: then weights and optimizer
  /// are as before the step, and the state in the context is undefined.
  double step(TrainableNetwork<Scalar>& network, const Tensor<Scalar>& x,
              const detail::Goal<Scalar>& goal, const StepOptions& options,
              const SequenceContext<Scalar>& context, Totals<Scalar>* totals) {
    auto& pass = work_.pass;
    const Tensor<Scalar>& prediction = forward(network, x, options, context);
    const auto parameters = network.parameters();
    return finish_step(
        {parameters, network.threads(), prediction, pass}, goal, totals,
        [&](std::span<Scalar> gradient) {
          pass.backward(network, x, gradient);
          if (options.gradient_noise == 0) return;
          // Layers and shards use forks of small numbers.
          Random noise = options.random.fork(std::uint64_t{1} << 33);
          detail::add_noise(gradient, options.gradient_noise, noise);
        },
        [&] { pass.absorb(network); },
        [&] { return detail::advice(network, update.optimizer, loss, x, goal.y); });
  }

  /// The gradients of a step, without its update: `gradient` is set to those of all parameters and,
  /// unless it is null, `dx` to the derivative by x. Layers take over their statistics of the
  /// batch. Returns the loss. Throws what step throws.
  double gradients(TrainableNetwork<Scalar>& network, const Tensor<Scalar>& x,
                   const detail::Goal<Scalar>& goal, const StepOptions& options,
                   const SequenceContext<Scalar>& context, Totals<Scalar>* totals,
                   std::vector<Scalar>& gradient, Tensor<Scalar>* dx) {
    auto& pass = work_.pass;
    const Tensor<Scalar>& prediction = forward(network, x, options, context);
    const auto parameters = network.parameters();
    const double value = differentiate(
        {parameters, network.threads(), prediction, pass}, goal, totals, gradient,
        [&](std::span<Scalar> all) { pass.backward(network, x, all, dx); },
        [&] { return detail::advice(network, update.optimizer, loss, x, goal.y); });
    pass.absorb(network);
    return value;
  }

  /// The update of a step with gradients that were computed before. Throws ValueError when one of
  /// them, or a new weight, is not finite; weights and optimizer are as before then.
  void apply(TrainableNetwork<Scalar>& network, std::span<const Scalar> gradient) {
    work_.gradient.assign(gradient.begin(), gradient.end());
    const auto parameters = network.parameters();
    leave_frozen(parameters, work_.gradient);
    update(
        parameters, work_.gradient, network.threads(), [&] { return update.optimizer.advice(); },
        [] {});
  }

  /// The part of a step after the forward pass: loss, backward, update. backward(gradient) adds the
  /// gradients of all parameters to `gradient`; by then the derivative of the loss by the
  /// prediction lies in the pass. absorb() and advice() are as in GuardedUpdate. Throws what step
  /// throws.
  template <class Backward, class Absorb, class Advice>
  double finish_step(const detail::ForwardPass<Scalar>& forward, const detail::Goal<Scalar>& goal,
                     Totals<Scalar>* totals, Backward backward, Absorb absorb, Advice advice) {
    const double value =
        differentiate(forward, goal, totals, work_.gradient, std::move(backward), advice);
    update(forward.parameters, work_.gradient, forward.threads, advice, absorb);
    return value;
  }

  /// Throws ShapeError unless y is what the loss and the metrics compare outputs of a shape with,
  /// and ValueError on values that are not finite and on labels that are no class.
  void check_targets(const Tensor<Scalar>& y, const Shape& output) const {
    detail::check_targets(y, output, loss);
    detail::check_metric_shapes(loss, metrics, y, output);
  }

  /// Throws ValueError when the outputs of a network for x of a shape are not what the loss takes,
  /// and on targets that do not fit.
  void check(const Network<Scalar>& network, const Shape& x, const Tensor<Scalar>& y,
             const Mask& mask) const {
    const Shape output = network.output_shape(x);
    detail::check_outputs(network, x, loss);
    detail::check_target_values("y", network, loss, y, output, mask);
    (void)detail::doubts(network, loss, metrics, y, output, mask);
  }

  /// Sentences about checked data that is allowed but may be a mistake.
  [[nodiscard]] std::vector<std::string> warnings(const Network<Scalar>& network, const Shape& x,
                                                  const Tensor<Scalar>& y, const Mask& mask) const {
    return detail::doubts(network, loss, metrics, y, network.output_shape(x), mask);
  }

  /// Whether no step has computed the loss of a row yet.
  [[nodiscard]] bool is_new() const noexcept { return !has_measured_; }

  /// Adds loss and metrics of one batch of checked data to `totals`.
  void test(const ForwardNetwork<Scalar>& network,
            const typename ForwardNetwork<Scalar>::Packed& packed, const Tensor<Scalar>& x,
            const detail::Goal<Scalar>& goal, const SequenceContext<Scalar>& context,
            Totals<Scalar>& totals) const {
    test_part(network, packed, x, goal, context, totals);
    totals.end_batch(x.batch());
  }

  /// Adds loss and metrics of a part of a batch, such as a window of its steps, to `totals`.
  void test_part(const ForwardNetwork<Scalar>& network,
                 const typename ForwardNetwork<Scalar>::Packed& packed, const Tensor<Scalar>& x,
                 const detail::Goal<Scalar>& goal, SequenceContext<Scalar> context,
                 Totals<Scalar>& totals) const {
    Mask mask;
    context.output_mask = &mask;
    const auto shards = detail::shards_of(x.batch());
    const Tensor<Scalar> prediction =
        detail::forward(network, packed, x, shards, context, !metrics.empty());
    double value = loss(prediction, goal.y, nullptr, mask, network.threads(), goal.weights,
                        {network.peers(), shards});
    if (!update.rules.empty()) {
      value += detail::penalty(update.rules, network.parameters(), std::span<Scalar>());
    }
    totals.add_part(value, prediction, goal.y, mask, goal.weights);
  }

  detail::GuardedUpdate<Scalar> update;
  Loss<Scalar> loss;
  std::vector<Metric<Scalar>> metrics;
  /// The number of epochs that fit has trained since compile. The random numbers of an epoch follow
  /// from the seed and from this number.
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
    detail::KeptWeights<Scalar> clean;
  };

  /// The forward pass of a training step. It packs the weights while they have their noise, and
  /// backward reads the packed weights.
  const Tensor<Scalar>& forward(TrainableNetwork<Scalar>& network, const Tensor<Scalar>& x,
                                const StepOptions& options,
                                const SequenceContext<Scalar>& context) {
    std::optional<detail::WeightNoise<Scalar>> noise;
    if (options.weight_noise > 0) {
      noise.emplace(network, options.weight_noise, options.random, work_.clean);
    }
    // Metrics see the whole batch.
    return work_.pass.forward(network, x, options.random, context, !metrics.empty());
  }

  /// The loss of a forward pass, penalties included, and the gradients of all parameters.
  template <class Backward, class Advice>
  double differentiate(const detail::ForwardPass<Scalar>& forward, const detail::Goal<Scalar>& goal,
                       Totals<Scalar>* totals, std::vector<Scalar>& gradient, Backward backward,
                       Advice advice) {
    const auto& parameters = forward.parameters;
    gradient.assign(detail::KeptWeights<Scalar>::count_of(parameters), Scalar(0));
    const Mask& mask = forward.pass.output_mask();
    const double value = measure(forward, goal, mask) +
                         detail::penalty(update.rules, parameters, std::span<Scalar>(gradient));
    if (!detail::is_finite(value)) {
      detail::fail_not_finite(
          detail::is_nan(value) ? "the loss is not a number" : "the loss is infinite", advice());
    }
    if (totals) totals->add_part(value, forward.prediction, goal.y, mask, goal.weights);
    backward(gradient);
    leave_frozen(parameters, gradient);
    return value;
  }

  /// The loss of a batch, and its derivative by the prediction. In the first step with a row that
  /// counts, it checks that the loss writes its whole derivative.
  double measure(const detail::ForwardPass<Scalar>& forward, const detail::Goal<Scalar>& goal,
                 const Mask& mask) {
    const auto& [parameters, threads, prediction, pass] = forward;
    Tensor<Scalar>& derivative = pass.derivative();
    const auto& [y, weights] = goal;
    const auto parts = pass.parts();
    if (has_measured_) return loss(prediction, y, &derivative, mask, threads, weights, parts);
    const double value =
        loss.with_checked_derivative(prediction, y, derivative, mask, threads, weights, parts);
    has_measured_ = mask.empty() || mask.count() > 0;
    return value;
  }

  /// Sets the gradients of the parameters that are not trained to zero, so that they have no part
  /// in the norm of the gradient.
  static void leave_frozen(const std::vector<Parameter<Scalar>>& parameters,
                           std::span<Scalar> gradient) {
    for (const auto& parameter : parameters) {
      const std::size_t count = parameter.values.size();
      if (!parameter.trainable) std::fill_n(gradient.begin(), count, Scalar(0));
      gradient = gradient.subspan(count);
    }
  }

  bool has_measured_ = false;
  Work work_;
};

}  // namespace strata::inline STRATA_RUNTIME
