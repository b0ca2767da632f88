#pragma once

#include <cstdint>
#include <utility>

#include <strata/mask.hpp>
#include <strata/model/transducer.hpp>
#include <strata/random.hpp>
#include <strata/support/owned.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of a training step of a transducer.
struct TransducerOptions {
  /// Which steps of x count, (B, T). By default it is empty: every step counts.
  Mask mask = {};
  /// The standard deviation of noise that is added to all trained weights for the step (Graves
  /// 2011). 0: no noise.
  double weight_noise = 0;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// The networks of the three models of a transducer.
template <class Scalar>
struct TransducerNetworks {
  TrainableNetwork<Scalar> encoder;
  TrainableNetwork<Scalar> prediction;
  TrainableNetwork<Scalar> output;
};

template <class Encoder, class Prediction, class Output>
[[nodiscard]] auto networks_of(Transducer<Encoder, Prediction, Output>& model) {
  return TransducerNetworks<typename Encoder::scalar_type>{model.encoder.trainable_network(),
                                                           model.prediction.trainable_network(),
                                                           model.output.trainable_network()};
}

template <class Scalar>
class TransducerTraining;

template <class Scalar>
[[nodiscard]] Owned<TransducerTraining<Scalar>> transducer_training_of(Optimizer<Scalar> optimizer);
template <class Scalar>
[[nodiscard]] Optimizer<Scalar>& optimizer_of(TransducerTraining<Scalar>& training) noexcept;
/// TransducerTrainer::step, or without `learns` its loss alone.
template <class Scalar>
double transducer_step(TransducerTraining<Scalar>& training,
                       const TransducerNetworks<Scalar>& networks, const Tensor<Scalar>& x,
                       const Tensor<Scalar>& labels, const TransducerOptions& options,
                       const Random& random, bool learns);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Trains the three models of a Transducer together, to the likelihood of label sequences: the loss
/// of a sample is -log p(labels | x), the sum over all alignments, that of a batch the mean over
/// its samples. The transducer must outlive the trainer.
///
///   TransducerTrainer trainer{model, Adam{}};
///   double loss = trainer.step(x, labels, {.mask = mask});
template <class Model>
class TransducerTrainer {
 public:
  using Scalar = typename Model::scalar_type;

  TransducerTrainer(Model& model, Optimizer<Scalar> optimizer)
      : model_(&model), training_(detail::transducer_training_of<Scalar>(std::move(optimizer))) {}

  /// One step over one batch: x (B, T, F), and label sequences (B, L), class numbers from 1 on,
  /// filled up with zeros behind the last label. Returns the loss before the update. Builds the
  /// models from the first data. Throws ShapeError and ValueError on data and models that do not
  /// fit, and ValueError when the loss, a gradient or a new weight is not finite; then the models
  /// and the optimizer are unchanged.
  double step(const Tensor<Scalar>& x, const Tensor<Scalar>& labels,
              const TransducerOptions& options = {}) {
    return detail::transducer_step(*training_.get(), detail::networks_of(*model_), x, labels,
                                   options, random_, true);
  }

  /// The loss of a batch without an update, with all layers as in prediction. A weight noise has no
  /// effect. Throws what step throws on the data.
  double loss(const Tensor<Scalar>& x, const Tensor<Scalar>& labels,
              const TransducerOptions& options = {}) {
    return detail::transducer_step(*training_.get(), detail::networks_of(*model_), x, labels,
                                   options, random_, false);
  }

  /// Sets the seed of dropout, which is 0 before the first call.
  void seed(std::uint64_t seed) { random_ = Random(seed); }

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept {
    return detail::optimizer_of(*training_.get());
  }

 private:
  Model* model_;
  detail::Owned<detail::TransducerTraining<Scalar>> training_;
  Random random_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/transducer_trainer_definitions.hpp>
#endif
