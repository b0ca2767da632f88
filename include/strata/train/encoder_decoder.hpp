#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/hand_over.hpp>
#include <strata/target.hpp>
#include <strata/train/advice.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/sharded_pass.hpp>
#include <strata/train/training.hpp>
#include <strata/train/trial_build.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Masks of a training step of an encoder and a decoder; empty: every step counts.
struct EncoderDecoderMasks {
  Mask encoder = {};
  Mask decoder = {};
};

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
        training_(std::move(optimizer), std::move(loss), {}, {}) {}

  /// One step over one batch: x (B, T, F), given (B, T', F'), and a target for the outputs of the
  /// decoder. Returns the loss before the update. Builds the models from the first data, and
  /// updates with the threads of the model that has more of them. Throws ShapeError and ValueError
  /// on data that does not fit, and ValueError when the loss, a gradient or a new weight is not
  /// finite; then both models, also unbuilt ones, and the optimizer are unchanged.
  double step(const Tensor<Scalar>& x, const Tensor<Scalar>& given, const Tensor<Scalar>& target,
              const EncoderDecoderMasks& masks = {}) {
    TrainableNetwork<Scalar> encoder = encoder_->trainable_network();
    TrainableNetwork<Scalar> decoder = decoder_->trainable_network();
    prepare(encoder, decoder, x, given, target, masks);
    const Random random = random_.fork(static_cast<std::uint64_t>(optimizer().iterations()));

    State<Scalar> state = encoder.zero_state(x.batch());
    const Tensor<Scalar>& read =
        encoder_pass_.forward(encoder, x, random.fork(0), {&masks.encoder, &state});
    State<Scalar> begin = detail::hand_over<Scalar>(encoder, state, decoder);
    const Tensor<Scalar>& prediction =
        decoder_pass_.forward(decoder, given, random.fork(1), {&masks.decoder, &begin});

    std::vector<Parameter<Scalar>> parameters = encoder.parameters();
    const std::size_t encoder_count = detail::KeptWeights<Scalar>::count_of(parameters);
    for (auto& parameter : decoder.parameters()) parameters.push_back(std::move(parameter));
    const auto backward = [&](std::span<Scalar> gradient) {
      State<Scalar> dbegin = decoder.zero_state(x.batch());
      for (std::size_t i = 0; i < decoder.size(); ++i) {
        if (dbegin.size(i) > 0) decoder_pass_.set_initial_derivative(i, dbegin.rows(i));
      }
      decoder_pass_.backward(decoder, given, gradient.subspan(encoder_count));
      // The loss does not see the outputs of the encoder.
      encoder_pass_.derivative().resize(read.shape());
      std::ranges::fill(encoder_pass_.derivative().values(), Scalar(0));
      for (const auto& [from, to] : detail::state_pairs<Scalar>(encoder, decoder)) {
        encoder_pass_.set_final_derivative(from, dbegin.rows(to));
      }
      encoder_pass_.backward(encoder, x, gradient.first(encoder_count));
    };
    const auto absorb = [&] {
      encoder_pass_.absorb(encoder);
      decoder_pass_.absorb(decoder);
    };
    const bool encoder_has_most = encoder.threads().count() >= decoder.threads().count();
    return training_.finish_step(
        {parameters, encoder_has_most ? encoder.threads() : decoder.threads(), prediction,
         decoder_pass_},
        target, nullptr, backward, absorb,
        [&] { return detail::advice(decoder, optimizer(), training_.loss, given, target); });
  }

  /// Sets the seed of dropout, which is 0 before the first call.
  void seed(std::uint64_t seed) { random_ = Random(seed); }

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept { return training_.update.optimizer; }

 private:
  /// Checks all data. Builds the models once every check that can refuse the data has passed.
  void prepare(TrainableNetwork<Scalar>& encoder, TrainableNetwork<Scalar>& decoder,
               const Tensor<Scalar>& x, const Tensor<Scalar>& given, const Tensor<Scalar>& target,
               const EncoderDecoderMasks& masks) const {
    detail::check_data(encoder, x, masks.encoder);
    detail::check_data(decoder, given, masks.decoder);
    if (given.batch() != x.batch()) {
      detail::fail<ShapeError>({"given: x has ", x.batch(), " samples, given has ", given.batch()});
    }
    detail::check_targets(target, decoder.output_shape(given.shape()), training_.loss.targets());
    if (training_.is_new()) training_.check(decoder, given.shape(), target, masks.decoder);
    detail::TrialBuild<Scalar> encoder_build(encoder);
    detail::TrialBuild<Scalar> decoder_build(decoder);
    encoder_build.build_for(x);
    decoder_build.build_for(given);
    (void)detail::state_pairs<Scalar>(encoder, decoder);
    encoder_build.keep();
    decoder_build.keep();
  }

  Encoder* encoder_;
  Decoder* decoder_;
  Training<Scalar> training_;
  Random random_;
  detail::ShardedPass<Scalar> encoder_pass_;
  detail::ShardedPass<Scalar> decoder_pass_;
};

}  // namespace strata::inline STRATA_RUNTIME
