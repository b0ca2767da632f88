#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/model/hand_over.hpp>
#include <strata/model/state_pairs.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/train/advice.hpp>
#include <strata/train/batch_checks.hpp>
#include <strata/train/encoder_decoder.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/sharded_pass.hpp>
#include <strata/train/target_checks.hpp>
#include <strata/train/training.hpp>
#include <strata/train/trial_build.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// What an EncoderDecoderTrainer keeps from step to step, and its step.
template <class Scalar>
class EncoderDecoderTraining {
 public:
  EncoderDecoderTraining(Optimizer<Scalar> optimizer, Loss<Scalar> loss)
      : training_(std::move(optimizer), std::move(loss), {}, {}) {}

  /// A copy has no memory of passes yet.
  EncoderDecoderTraining(const EncoderDecoderTraining& other) : training_(other.training_) {}
  EncoderDecoderTraining& operator=(const EncoderDecoderTraining&) = delete;

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept { return training_.update.optimizer; }

  /// EncoderDecoderTrainer::step.
  double step(TrainableNetwork<Scalar> encoder, TrainableNetwork<Scalar> decoder,
              const Tensor<Scalar>& x, const Tensor<Scalar>& given, const Tensor<Scalar>& target,
              const EncoderDecoderMasks& masks, const Random& all_random) {
    prepare(encoder, decoder, x, given, target, masks);
    const Random random = all_random.fork(static_cast<std::uint64_t>(optimizer().iterations()));

    State<Scalar> state = encoder.zero_state(x.batch());
    const Tensor<Scalar>& read =
        encoder_pass_.forward(encoder, x, random.fork(0), {&masks.encoder, &state});
    State<Scalar> begin = hand_over<Scalar>(encoder, state, decoder);
    const Tensor<Scalar>& prediction =
        decoder_pass_.forward(decoder, given, random.fork(1), {&masks.decoder, &begin});

    std::vector<Parameter<Scalar>> parameters = encoder.parameters();
    const std::size_t encoder_count = KeptWeights<Scalar>::count_of(parameters);
    for (auto& parameter : decoder.parameters()) parameters.push_back(std::move(parameter));
    const auto backward = [&](std::span<Scalar> gradient) {
      State<Scalar> dbegin = decoder.zero_state(x.batch());
      for (std::size_t i = 0; i < decoder.size(); ++i) {
        if (dbegin.size(i) > 0) decoder_pass_.set_initial_derivative(i, dbegin.rows(i));
      }
      decoder_pass_.backward(decoder, given, gradient.subspan(encoder_count));
      // The loss does not see the outputs of the encoder.
      encoder_pass_.derivative().resize(read.shape());
      detail::fill(encoder_pass_.derivative().values(), Scalar(0));
      for (const auto& [from, to] : state_pairs<Scalar>(encoder, decoder)) {
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
        {target, SampleWeights<Scalar>()}, nullptr, backward, absorb,
        [&] { return advice(decoder, optimizer(), training_.loss, given, target); });
  }

 private:
  /// Checks all data. Builds the models once every check that can refuse the data has passed.
  void prepare(TrainableNetwork<Scalar>& encoder, TrainableNetwork<Scalar>& decoder,
               const Tensor<Scalar>& x, const Tensor<Scalar>& given, const Tensor<Scalar>& target,
               const EncoderDecoderMasks& masks) const {
    check_data(encoder, x, masks.encoder);
    check_data(decoder, given, masks.decoder);
    if (given.batch() != x.batch()) {
      fail<ShapeError>({"given: x has ", x.batch(), " samples, given has ", given.batch()});
    }
    training_.check_targets(target, decoder.output_shape(given.shape()));
    if (training_.is_new()) training_.check(decoder, given.shape(), target, masks.decoder);
    TrialBuild<Scalar> encoder_build(encoder);
    TrialBuild<Scalar> decoder_build(decoder);
    encoder_build.build_for(x);
    decoder_build.build_for(given);
    (void)state_pairs<Scalar>(encoder, decoder);
    encoder_build.keep();
    decoder_build.keep();
  }

  Training<Scalar> training_;
  ShardedPass<Scalar> encoder_pass_;
  ShardedPass<Scalar> decoder_pass_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
