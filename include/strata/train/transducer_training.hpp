#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/mask.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/model/label_sequences.hpp>
#include <strata/random.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/fit_checks.hpp>
#include <strata/train/guarded_update.hpp>
#include <strata/train/kept_weights.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/sharded_pass.hpp>
#include <strata/train/target_checks.hpp>
#include <strata/train/training.hpp>
#include <strata/train/transducer_join.hpp>
#include <strata/train/transducer_trainer.hpp>
#include <strata/train/trial_build.hpp>
#include <strata/train/weight_noise.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Labels (B, L) as the prediction network reads them: a 0 before the first, so that its output u
/// has read u labels. (B, L + 1) of class numbers, or one-hot (B, L + 1, C).
template <class Scalar>
[[nodiscard]] Tensor<Scalar> read_labels(const Tensor<Scalar>& labels, bool ids, Index classes) {
  const Index count = labels.features();
  Tensor<Scalar> read(ids ? Shape{labels.batch(), count + 1}
                          : Shape{labels.batch(), count + 1, classes});
  for (Index b = 0; b < labels.batch(); ++b) {
    for (Index u = 0; u <= count; ++u) {
      const Scalar label = u == 0 ? Scalar(0) : labels(b, u - 1);
      if (ids) {
        read(b, u) = label;
      } else {
        read(b, u, static_cast<Index>(label)) = 1;
      }
    }
  }
  return read;
}

/// What a TransducerTrainer keeps from step to step, and its step.
template <class Scalar>
class TransducerTraining {
 public:
  explicit TransducerTraining(GuardedUpdate<Scalar> update) : update_(std::move(update)) {}

  /// A copy has no memory of passes yet.
  TransducerTraining(const TransducerTraining& other) : update_(other.update_) {}
  TransducerTraining& operator=(const TransducerTraining&) = delete;

  [[nodiscard]] Optimizer<Scalar>& optimizer() noexcept { return update_.optimizer; }

  /// TransducerTrainer::step, or without an update its loss alone.
  double step(TransducerNetworks<Scalar> networks, const Tensor<Scalar>& x,
              const Tensor<Scalar>& labels, const TransducerOptions& options,
              const Random& all_random, bool learns) {
    TrainableNetwork<Scalar>& encoder = networks.encoder;
    TrainableNetwork<Scalar>& prediction = networks.prediction;
    TrainableNetwork<Scalar>& output = networks.output;
    TrialBuild<Scalar> encoder_build(encoder);
    TrialBuild<Scalar> prediction_build(prediction);
    TrialBuild<Scalar> output_build(output);
    check(encoder, x, labels, options);
    encoder_build.build_for(x);
    const Shape encoded = encoder.output_shape(x.shape());
    if (encoded.rank() != 3) {
      fail<ShapeError>({"Transducer: the encoder needs outputs (B, T, J), found ", encoded});
    }
    output_build.build_for(Tensor<Scalar>({1, encoded.back()}));
    const Index classes = output.output_shape({1, encoded.back()}).back();
    check_labels(labels, classes);
    const bool ids = prediction.layers().front().accepts() == Accepts::ids;
    const Tensor<Scalar> read = read_labels(labels, ids, classes);
    prediction_build.build_for(read);
    const Shape predicted = prediction.output_shape(read.shape());
    if (predicted.rank() != 3 || predicted.back() != encoded.back()) {
      fail<ShapeError>({"Transducer: the encoder has outputs ", encoded,
                        ", so the prediction network needs outputs (B, U + 1, ", encoded.back(),
                        "), found ", predicted});
    }
    check_carries_state("Transducer: the prediction network reads label by label", prediction);
    if (output.mixes_sequences()) {
      detail::raise<ValueError>("Transducer: the output network may not mix the rows of a batch");
    }
    encoder_build.keep();
    prediction_build.keep();
    output_build.keep();

    const Mask none;
    if (!learns) return evaluate(networks, x, read, labels, options.mask);
    const Random random = all_random.fork(static_cast<std::uint64_t>(optimizer().iterations()));
    std::array<std::optional<WeightNoise<Scalar>>, 3> noise;
    if (options.weight_noise > 0) {
      noise[0].emplace(encoder, options.weight_noise, random.fork(0), clean_[0]);
      noise[1].emplace(prediction, options.weight_noise, random.fork(1), clean_[1]);
      noise[2].emplace(output, options.weight_noise, random.fork(2), clean_[2]);
    }
    const Tensor<Scalar>& l =
        encoder_pass_.forward(encoder, x, random.fork(0), {.mask = &options.mask});
    const Tensor<Scalar>& p =
        prediction_pass_.forward(prediction, read, random.fork(1), {.mask = &none});
    std::vector<Parameter<Scalar>> parameters = encoder.parameters();
    const std::size_t of_encoder = KeptWeights<Scalar>::count_of(parameters);
    for (auto& parameter : prediction.parameters()) parameters.push_back(std::move(parameter));
    const std::size_t of_both = KeptWeights<Scalar>::count_of(parameters);
    for (auto& parameter : output.parameters()) parameters.push_back(std::move(parameter));
    gradient_.assign(KeptWeights<Scalar>::count_of(parameters), Scalar(0));
    const std::span<Scalar> gradient(gradient_);

    const double loss = join_.train(
        output, {l, p, labels, encoder_pass_.output_mask()}, random.fork(2),
        {encoder_pass_.derivative(), prediction_pass_.derivative()}, gradient.subspan(of_both));
    if (!is_finite(loss)) {
      fail_not_finite(is_nan(loss) ? "the loss is not a number" : "the loss is infinite", advice());
    }
    prediction_pass_.backward(prediction, read, gradient.subspan(of_encoder, of_both - of_encoder));
    encoder_pass_.backward(encoder, x, gradient.first(of_encoder));
    for (auto& each : noise) each.reset();
    update_(
        parameters, gradient, encoder.threads(), [&] { return advice(); },
        [&] {
          encoder_pass_.absorb(encoder);
          prediction_pass_.absorb(prediction);
        });
    return loss;
  }

 private:
  using Network = TrainableNetwork<Scalar>;

  /// The loss with all layers as in prediction, of checked data.
  [[nodiscard]] double evaluate(const TransducerNetworks<Scalar>& networks, const Tensor<Scalar>& x,
                                const Tensor<Scalar>& read, const Tensor<Scalar>& labels,
                                const Mask& mask) {
    const auto outputs = [](const Network& network, const Tensor<Scalar>& in,
                            const SequenceContext<Scalar>& context) {
      typename ForwardNetwork<Scalar>::Packed packed;
      network.pack(packed, false);
      return forward(network, packed, in, context);
    };
    Mask encoded_mask;
    const Tensor<Scalar> l =
        outputs(networks.encoder, x, {.mask = &mask, .output_mask = &encoded_mask});
    const Tensor<Scalar> p = outputs(networks.prediction, read, {});
    return join_.evaluate(networks.output, {l, p, labels, encoded_mask});
  }

  static void check(const Network& encoder, const Tensor<Scalar>& x, const Tensor<Scalar>& labels,
                    const TransducerOptions& options) {
    if (!is_finite(options.weight_noise) || options.weight_noise < 0) {
      fail<ValueError>(
          {"Transducer: weight_noise must be at least 0 and finite, found ", options.weight_noise});
    }
    check_data(encoder, x, options.mask);
    check_not_empty("labels", labels);
    check_finite("labels", labels);
    if (labels.rank() != 2 || labels.batch() != x.batch()) {
      fail<ShapeError>({"labels: x has ", x.batch(), " samples, so labels have the shape (",
                        x.batch(), ", L); found ", labels.shape()});
    }
  }

  static void check_labels(const Tensor<Scalar>& labels, Index classes) {
    check_classes("labels", labels, classes);
    for (Index b = 0; b < labels.batch(); ++b) {
      on_error<ValueError>([&] { (void)labels_of(sample_of(labels, b)); },
                           [&](const ValueError& error) {
                             fail<ValueError>({"labels: sample ", b, ": ", error.what()});
                           });
    }
  }

  [[nodiscard]] std::string advice() const {
    return update_.optimizer.iterations() > 0
               ? update_.optimizer.advice()
               : "This is the first step, so that the learning rate is not the reason: look at the "
                 "weights that the models have been given, and at the scale of x";
  }

  GuardedUpdate<Scalar> update_;
  ShardedPass<Scalar> encoder_pass_;
  ShardedPass<Scalar> prediction_pass_;
  TransducerJoin<Scalar> join_;
  std::array<KeptWeights<Scalar>, 3> clean_;
  std::vector<Scalar> gradient_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
