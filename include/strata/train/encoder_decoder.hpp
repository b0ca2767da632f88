#pragma once

#include <cstdint>
#include <utility>

#include <strata/mask.hpp>
#include <strata/random.hpp>
#include <strata/support/owned.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Masks of a training step of an encoder and a decoder; empty: every step counts.
struct EncoderDecoderMasks {
  Mask encoder = {};
  Mask decoder = {};
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
class EncoderDecoderTraining;

template <class Scalar>
[[nodiscard]] Owned<EncoderDecoderTraining<Scalar>> encoder_decoder_training_of(
    Optimizer<Scalar> optimizer, Loss<Scalar> loss);
template <class Scalar>
[[nodiscard]] Optimizer<Scalar>& optimizer_of(EncoderDecoderTraining<Scalar>& training) noexcept;
/// EncoderDecoderTrainer::step.
template <class Scalar>
double encoder_decoder_step(EncoderDecoderTraining<Scalar>& training,
                            const TrainableNetwork<Scalar>& encoder,
                            const TrainableNetwork<Scalar>& decoder, const Tensor<Scalar>& x,
                            const Tensor<Scalar>& given, const Tensor<Scalar>& target,
                            const EncoderDecoderMasks& masks, const Random& random);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Trains an encoder and a decoder together (Sutskever, Vinyals & Le 2014; Cho et al. 2014): the
/// encoder reads x, the decoder begins in the encoder's final state and reads `given`, for instance
/// the target a step late, and derivatives run back through the state into the encoder. The outputs
/// of the encoder are not used. Both models must outlive the trainer.
///
///   EncoderDecoderTrainer trainer{encoder, decoder, Adam{}, SparseCategoricalCrossentropy{}};
///   double loss = trainer.step(x, given, target);
template <class Encoder, class Decoder>
class EncoderDecoderTrainer {
 public:
  using Scalar = typename Encoder::scalar_type;

  EncoderDecoderTrainer(Encoder& encoder, Decoder& decoder, Optimizer<Scalar> optimizer,
                        Loss<Scalar> loss)
      : encoder_(&encoder),
        decoder_(&decoder),
        training_(
            detail::encoder_decoder_training_of<Scalar>(std::move(optimizer), std::move(loss))) {}

  /// One step over one batch: x (B, T, F), given (B, T', F'), and a target for the outputs of the
  /// decoder. Returns the loss before the update. Builds the models from the first data, and
  /// updates with the threads of the model that has more of them. Throws ShapeError and ValueError
  /// on data that does not fit, and ValueError when the loss, a gradient or a new weight is not
  /// finite; then both models, also unbuilt ones, and the optimizer are unchanged.
  double step(const Tensor<Scalar>& x, const Tensor<Scalar>& given, const Tensor<Scalar>& target,
              const EncoderDecoderMasks& masks = {}) {
    return detail::encoder_decoder_step(*training_.get(), encoder_->trainable_network(),
                                        decoder_->trainable_network(), x, given, target, masks,
                                        random_);
  }

  /// Sets the seed of dropout, which is 0 before the first call.
  void seed(std::uint64_t seed) { random_ = Random(seed); }

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept {
    return detail::optimizer_of(*training_.get());
  }

 private:
  Encoder* encoder_;
  Decoder* decoder_;
  detail::Owned<detail::EncoderDecoderTraining<Scalar>> training_;
  Random random_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/encoder_decoder_definitions.hpp>
#endif
