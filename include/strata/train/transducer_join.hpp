#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/language/algorithms.hpp>
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

  /// The outputs of the encoder and of the prediction network, and what belongs to them.
  struct Outputs {
    const Tensor<Scalar>& encoded;    // (B, T, J)
    const Tensor<Scalar>& predicted;  // (B, L + 1, J)
    const Tensor<Scalar>& labels;     // (B, L)
    const Mask& mask;

    [[nodiscard]] std::size_t batch() const { return static_cast<std::size_t>(encoded.batch()); }
  };

  /// The places for the derivatives of the loss by both outputs.
  struct Derivatives {
    Tensor<Scalar>& by_encoded;
    Tensor<Scalar>& by_predicted;
  };

  /// The mean loss of the samples. Adds the gradient of the output network to `gradient`, and sets
  /// the derivatives by the outputs of the other two networks. Threads share the samples; sums are
  /// taken in the order of the samples.
  double train(const Network& output, const Outputs& rows, const Random& random,
               const Derivatives& derivatives, std::span<Scalar> gradient) {
    derivatives.by_encoded.resize(rows.encoded.shape());
    derivatives.by_predicted.resize(rows.predicted.shape());
    detail::fill(derivatives.by_encoded.values(), Scalar(0));
    detail::fill(derivatives.by_predicted.values(), Scalar(0));
    samples_.resize(rows.batch());
    output.pack(packed_, true);
    output.threads().run(rows.batch(), [&](std::size_t b) {
      samples_[b].gradient.assign(gradient.size(), Scalar(0));
      train_sample(output, rows, static_cast<Index>(b), random, derivatives, samples_[b]);
    });
    for (const Sample& sample : samples_) {
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += sample.gradient[i];
    }
    return mean_loss();
  }

  /// The mean loss of the samples, with the output network as in prediction.
  [[nodiscard]] double evaluate(const Network& output, const Outputs& rows) {
    samples_.resize(rows.batch());
    output.pack(packed_, false);
    output.threads().run(rows.batch(), [&](std::size_t b) {
      const Places places(rows, static_cast<Index>(b));
      Tensor<Scalar> derivative;
      samples_[b].loss = transducer_loss(output.forward(packed_, places.sums, {}),
                                         std::span<const Index>(places.labels), 1, derivative);
    });
    return mean_loss();
  }

 private:
  /// The places (t, u) of a sample: its steps that count, its labels, and the sums of both outputs,
  /// of which row t (L + 1) + u belongs to the place.
  struct Places {
    std::vector<Index> steps;
    std::vector<Index> labels;
    Tensor<Scalar> sums;

    /// Throws ValueError where no step of the sample counts.
    Places(const Outputs& rows, Index b)
        : steps(counted_steps(CountedSteps(rows.mask, b, rows.encoded.steps()).flags())),
          labels(labels_of(sample_of(rows.labels, b))) {
      if (steps.empty()) fail<ValueError>({"Transducer: no step of sample ", b, " counts"});
      const Index size = rows.encoded.features();
      sums.resize({static_cast<Index>(steps.size()) * width(), size});
      Scalar* to = sums.data();
      for (const Index step : steps) {
        const Scalar* const l = rows.encoded.data() + (b * rows.encoded.steps() + step) * size;
        for (Index u = 0; u < width(); ++u, to += size) {
          const Scalar* const p = rows.predicted.data() + (b * rows.predicted.steps() + u) * size;
          for (Index j = 0; j < size; ++j) to[j] = l[j] + p[j];
        }
      }
    }
    [[nodiscard]] Index width() const noexcept { return static_cast<Index>(labels.size()) + 1; }
  };

  /// What the output network of one sample leaves behind.
  struct Sample {
    typename Network::Tape tape;
    std::vector<Scalar> gradient;
    double loss = 0;
  };

  void train_sample(const Network& output, const Outputs& rows, Index b, const Random& random,
                    const Derivatives& derivatives, Sample& sample) {
    const Places places(rows, b);
    sample.tape.packed = packed_;
    const Tensor<Scalar>& logits = output.forward_packed(
        places.sums, sample.tape, random.fork(static_cast<std::uint64_t>(b)), {});
    sample.loss =
        transducer_loss(logits, std::span<const Index>(places.labels),
                        static_cast<double>(rows.encoded.batch()), sample.tape.derivative);

    Tensor<Scalar> derivative;
    output.backward(places.sums, sample.tape, sample.gradient, &derivative);
    const Scalar* from = derivative.data();
    const Index size = derivative.features();
    for (const Index step : places.steps) {
      Scalar* const dl = &derivatives.by_encoded(b, step, 0);
      for (Index u = 0; u < places.width(); ++u, from += size) {
        Scalar* const dp = &derivatives.by_predicted(b, u, 0);
        for (Index j = 0; j < size; ++j) {
          dl[j] += from[j];
          dp[j] += from[j];
        }
      }
    }
  }

  [[nodiscard]] double mean_loss() const {
    double sum = 0;
    for (const Sample& sample : samples_) sum += sample.loss;
    return sum / static_cast<double>(samples_.size());
  }

  typename ForwardNetwork<Scalar>::Packed packed_;
  std::vector<Sample> samples_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
