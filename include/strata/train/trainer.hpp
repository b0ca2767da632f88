#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <strata/model/options.hpp>
#include <strata/random.hpp>
#include <strata/support/owned.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/fit.hpp>
#include <strata/train/gradients.hpp>
#include <strata/train/history.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/weight_rules.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Training for users who write their own loop. The model must outlive the trainer.
///
///   Trainer trainer{model, Adam{}, MeanSquaredError{}};
///   double loss = trainer.step(x, y);
template <class Model>
class Trainer {
 public:
  using Scalar = typename Model::scalar_type;

  Trainer(Model& model, Optimizer<Scalar> optimizer, Loss<Scalar> loss,
          const WeightRules& rules = {})
      : Trainer(model, std::move(optimizer), std::move(loss), std::vector<Metric<Scalar>>(),
                rules) {}
  Trainer(Model& model, Optimizer<Scalar> optimizer, Loss<Scalar> loss,
          std::vector<Metric<Scalar>> metrics, const WeightRules& rules = {})
      : model_(&model),
        training_(detail::training_of<Scalar>(std::move(optimizer), std::move(loss),
                                              std::move(metrics), rules)),
        totals_(detail::metrics_of(*training_.get())) {
    for (const auto& [name, factor] : rules.rates) model.network().set_rate(name, factor);
  }
  Trainer(Trainer&&) = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// One step over one batch: forward, loss, backward, update. Returns the loss before the update.
  /// Builds the model from the first data. Throws what fit throws; then weights and optimizer are
  /// unchanged. The first step warns at std::cerr of data that is allowed but may be a mistake.
  ///
  /// With a state, long sequences are trained in windows: the state goes on from window to window,
  /// and derivatives end at the window's first step (truncated back-propagation through time,
  /// Williams & Peng 1990).
  double step(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
              const BatchOptions<Scalar>& options = {}) {
    return detail::train_on_batch(model_->trainable_network(), *training_.get(), x, y, options,
                                  random_, totals_);
  }

  /// The gradients of one batch, as a step computes them, without the update; see `apply`. The
  /// weights stay as they are; statistics of batches, of BatchNormalization, go on. Each call
  /// between two updates draws new random numbers. Throws what step throws, and ValueError where
  /// the derivative by x is asked of a model that reads class numbers.
  ///
  ///   Tensor<float> dx;
  ///   auto gradients = trainer.gradients(x, y, {.input_derivative = &dx});
  [[nodiscard]] Gradients<Scalar> gradients(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                            const BatchOptions<Scalar>& options = {}) {
    Gradients<Scalar> result = detail::gradients_of(model_->trainable_network(), *training_.get(),
                                                    x, y, options, random_, waiting_, totals_);
    ++waiting_;
    return result;
  }

  /// The update of a step, with gradients that may have been added up or changed: clipping,
  /// optimizer, constraints. Throws ShapeError on gradients of another model, ValueError when a
  /// gradient or a new weight is not finite; weights and optimizer are unchanged then.
  void apply(const Gradients<Scalar>& gradients) {
    detail::apply_gradients(model_->trainable_network(), *training_.get(), gradients);
    waiting_ = 0;
  }

  /// Loss and metrics over all batches of step and gradients since the begin, or since
  /// reset_metrics, each from before the update of its batch.
  [[nodiscard]] Evaluation metrics() const { return totals_.means(); }
  void reset_metrics() { totals_.reset(); }

  /// Sets the seed of dropout and noise, which is 0 before the first call.
  void seed(std::uint64_t seed) { random_ = Random(seed); }

  [[nodiscard]] double learning_rate() { return optimizer().learning_rate(); }
  /// Throws ValueError on a rate that the optimizer refuses.
  void set_learning_rate(double rate) { optimizer().set_learning_rate(rate); }

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept {
    return detail::optimizer_of(*training_.get());
  }

 private:
  Model* model_;
  detail::Owned<Training<Scalar>> training_;
  Totals<Scalar> totals_;
  Random random_;
  /// The number of gradients since the last update.
  std::uint64_t waiting_ = 0;
};

}  // namespace strata::inline STRATA_RUNTIME
