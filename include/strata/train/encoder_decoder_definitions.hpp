#pragma once

#include <utility>

#include <strata/target.hpp>
#include <strata/train/encoder_decoder.hpp>
#include <strata/train/encoder_decoder_training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
Owned<EncoderDecoderTraining<Scalar>> encoder_decoder_training_of(Optimizer<Scalar> optimizer,
                                                                  Loss<Scalar> loss) {
  Owned<EncoderDecoderTraining<Scalar>> training;
  training.emplace(std::move(optimizer), std::move(loss));
  return training;
}

template <class Scalar>
Optimizer<Scalar>& optimizer_of(EncoderDecoderTraining<Scalar>& training) noexcept {
  return training.optimizer();
}

template <class Scalar>
double encoder_decoder_step(EncoderDecoderTraining<Scalar>& training,
                            const TrainableNetwork<Scalar>& encoder,
                            const TrainableNetwork<Scalar>& decoder, const Tensor<Scalar>& x,
                            const Tensor<Scalar>& given, const Tensor<Scalar>& target,
                            const EncoderDecoderMasks& masks, const Random& random) {
  return training.step(encoder, decoder, x, given, target, masks, random);
}

}  // namespace strata::detail::inline STRATA_RUNTIME
