#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/model/label_sequences.hpp>
#include <strata/random.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/trainable_network.hpp>
#include <strata/train/transducer_loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The part of a transducer's training behind the encoder and the prediction network: the output
/// network at each place (t, u) of each sample, the loss, and the way back to both.
template <class Scalar>
class TransducerJoin {
 public:
  using Network = TrainableNetwork<Scalar>;

  /// The outputs of the encoder and of the prediction network, and the places for the derivatives
  /// of the loss by them.
  struct Outputs {
    const Tensor<Scalar>& encoded;    // (B, T, J)
    const Tensor<Scalar>& predicted;  // (B, L + 1, J)
    const Tensor<Scalar>& labels;     // (B, L)
    const Mask& mask;
    Random random;
    Tensor<Scalar>& by_encoded;
    Tensor<Scalar>& by_predicted;
  };

  /// The mean loss of the samples. Adds the gradient of the output network to `gradient`, and sets
  /// the derivatives by the outputs of the other two networks. Threads share the samples; sums are
  /// taken in the order of the samples.
  double operator()(const Network& output, const Outputs& rows, std::span<Scalar> gradient) {
    const auto batch = static_cast<std::size_t>(rows.encoded.batch());
    rows.by_encoded.resize(rows.encoded.shape());
    rows.by_predicted.resize(rows.predicted.shape());
    std::ranges::fill(rows.by_encoded.values(), Scalar(0));
    std::ranges::fill(rows.by_predicted.values(), Scalar(0));
    samples_.resize(batch);
    output.pack(packed_, true);
    output.threads().run(batch, [&](std::size_t b) {
      samples_[b].gradient.assign(gradient.size(), Scalar(0));
      join_sample(output, rows, static_cast<Index>(b), samples_[b]);
    });
    double sum = 0;
    for (const Sample& sample : samples_) {
      sum += sample.loss;
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += sample.gradient[i];
    }
    return sum / static_cast<double>(batch);
  }

 private:
  /// What the output network of one sample leaves behind.
  struct Sample {
    typename Network::Tape tape;
    std::vector<Scalar> gradient;
    double loss = 0;
  };

  void join_sample(const Network& output, const Outputs& rows, Index b, Sample& sample) {
    const CountedSteps counts(rows.mask, b, rows.encoded.steps());
    const std::vector<Index> steps = counted_steps(counts.flags());
    const std::vector<Index> labels = labels_of(sample_of(rows.labels, b));
    if (steps.empty()) fail<ValueError>({"Transducer: no step of sample ", b, " counts"});
    const auto count = static_cast<Index>(steps.size());
    const Index width = static_cast<Index>(labels.size()) + 1;
    const Index size = rows.encoded.features();

    // Row t width + u is the sum of both outputs at the place (t, u).
    Tensor<Scalar> sums({count * width, size});
    for (Index t = 0; t < count; ++t) {
      const Scalar* const l =
          &rows.encoded
               .data()[(b * rows.encoded.steps() + steps[static_cast<std::size_t>(t)]) * size];
      for (Index u = 0; u < width; ++u) {
        const Scalar* const p = &rows.predicted.data()[(b * rows.predicted.steps() + u) * size];
        Scalar* const to = &sums(t * width + u, 0);
        for (Index j = 0; j < size; ++j) to[j] = l[j] + p[j];
      }
    }
    sample.tape.packed = packed_;
    const Tensor<Scalar>& logits = output.forward_packed(
        sums, sample.tape, rows.random.fork(static_cast<std::uint64_t>(b)), {});
    sample.loss =
        transducer_loss(logits, std::span<const Index>(labels),
                        static_cast<double>(rows.encoded.batch()), sample.tape.derivative);

    Tensor<Scalar> derivative;
    output.backward(sums, sample.tape, sample.gradient, &derivative);
    for (Index t = 0; t < count; ++t) {
      Scalar* const dl = &rows.by_encoded(b, steps[static_cast<std::size_t>(t)], 0);
      for (Index u = 0; u < width; ++u) {
        Scalar* const dp = &rows.by_predicted(b, u, 0);
        const Scalar* const from = &derivative(t * width + u, 0);
        for (Index j = 0; j < size; ++j) {
          dl[j] += from[j];
          dp[j] += from[j];
        }
      }
    }
  }

  typename ForwardNetwork<Scalar>::Packed packed_;
  std::vector<Sample> samples_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
