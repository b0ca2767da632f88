#pragma once

#include <cstdint>
#include <utility>

#include <strata/model/options.hpp>
#include <strata/random.hpp>
#include <strata/support/owned.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/fit.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/optimizer.hpp>
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
      : model_(&model),
        training_(detail::training_of<Scalar>(std::move(optimizer), std::move(loss), {}, rules)) {
    for (const auto& [name, factor] : rules.rates) model.network().set_rate(name, factor);
  }

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
                                  random_);
  }

  /// Sets the seed of dropout, which is 0 before the first call.
  void seed(std::uint64_t seed) { random_ = Random(seed); }

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept {
    return detail::optimizer_of(*training_.get());
  }

 private:
  Model* model_;
  detail::Owned<Training<Scalar>> training_;
  Random random_;
};

}  // namespace strata::inline STRATA_RUNTIME
