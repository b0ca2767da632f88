#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <strata/error.hpp>
#include <strata/model/sequential.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/epoch_loop.hpp>
#include <strata/train/evaluation.hpp>
#include <strata/train/fit_options.hpp>
#include <strata/train/history.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/training.hpp>
#include <strata/train/weight_rules.hpp>

// The functions of a model that train and evaluate, which strata/model/sequential.hpp declares.

namespace strata::detail::inline STRATA_RUNTIME {

template <class Training>
[[nodiscard]] auto& compiled(Training* training) {
  if (!training) throw StateError("the model is not compiled; call compile(optimizer, loss) first");
  return *training;
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
  const ForwardNetwork<S> network = this->forward_network();
  const Training<S>& training = compiled(training_.get());
  if (options.batch_size < 1) throw ValueError("evaluate: batch_size must be at least 1");
  check_sequences(network, x, options.mask, options.state);
  check_targets(y, network.output_shape(x.shape()), training.loss.targets());
  return detail::evaluate(network, training, x, y, options);
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

}  // namespace strata::detail::inline STRATA_RUNTIME
