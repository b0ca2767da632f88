#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/kernels/transducer_lattice.hpp>
#include <strata/mask.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/stream.hpp>
#include <strata/model/transducer.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of transducer_greedy and transducer_beam_search.
///
///   transducer_beam_search(model, x, mask, {.width = 16})
struct TransducerSearchOptions {
  /// The number of label sequences that beam search follows, at least 1. 8: each needs a step of
  /// the prediction network for each of its labels.
  Index width = 8;
  /// The largest number of labels that are emitted at one step of x, at least 1. 10, more than
  /// speech and writing have.
  Index labels_per_step = 10;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// A label sequence of a search: the prediction network behind its last label, and log p.
template <class PredictionStream>
struct TransducerBeam {
  using Scalar = typename PredictionStream::Scalar;

  /// The empty sequence; the prediction network has read the 0 before the first label.
  explicit TransducerBeam(PredictionStream start) : prediction(std::move(start)) { read(0); }

  void read(Index label) {
    std::vector<Scalar> input(static_cast<std::size_t>(prediction.inputs()));
    ClassInput{}(label, std::span<Scalar>(input));
    const Scalar* const y = prediction.step(input.data());
    predicted.assign(y, y + prediction.outputs());
  }
  [[nodiscard]] TransducerBeam with(Index label, double log_label) const {
    TransducerBeam longer = *this;
    longer.labels.push_back(label);
    longer.log_probability = log_probability + log_label;
    longer.read(label);
    return longer;
  }

  PredictionStream prediction;
  std::vector<Scalar> predicted;
  std::vector<Index> labels;
  double log_probability = 0;
};

/// log p of the classes at a place, by the outputs of the encoder and of the prediction network.
template <class OutputStream, class Scalar>
[[nodiscard]] std::vector<double> score_place(OutputStream& output, std::span<const Scalar> encoded,
                                              const std::vector<Scalar>& predicted) {
  std::vector<Scalar> sum(encoded.begin(), encoded.end());
  for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += predicted[j];
  const Scalar* const logits = output.step(sum.data());
  std::vector<double> logs(static_cast<std::size_t>(output.outputs()));
  log_softmax(logits, output.outputs(), logs.data());
  return logs;
}

/// Calls f(b, encoded (T, J), steps that count, start, output stream) for each sample of x, and
/// returns the label sequences that f returns.
template <class Model, class F>
[[nodiscard]] std::vector<std::vector<Index>> decode_samples(
    const Model& model, const Tensor<typename Model::scalar_type>& x, const Mask& mask,
    const TransducerSearchOptions& options, F f) {
  if (options.width < 1 || options.labels_per_step < 1) {
    fail<ValueError>({"Transducer: width and labels_per_step must be at least 1, found ",
                      options.width, " and ", options.labels_per_step});
  }
  const auto encoded = model.encoder.predict(x, {.mask = mask});
  Stream prediction{model.prediction};
  Stream output{model.output};
  if (encoded.rank() != 3 || encoded.features() != prediction.outputs() ||
      encoded.features() != output.inputs()) {
    fail<ShapeError>({"Transducer: the encoder has outputs ", encoded.shape(),
                      ", the prediction network ", prediction.outputs(),
                      ", and the output network reads ", output.inputs()});
  }
  const TransducerBeam start(prediction);
  std::vector<std::vector<Index>> all;
  for (Index b = 0; b < encoded.batch(); ++b) {
    const CountedSteps counts(mask, b, encoded.steps());
    all.push_back(f(sample_of(encoded, b), counted_steps(counts.flags()), start, output));
  }
  return all;
}

/// Adds a beam to others, to the beam of the same labels where there is one.
template <class Beam>
void merge_beam(std::vector<Beam>& beams, Beam beam) {
  for (Beam& other : beams) {
    if (other.labels != beam.labels) continue;
    other.log_probability = log_sum(other.log_probability, beam.log_probability);
    return;
  }
  beams.push_back(std::move(beam));
}

/// Leaves the `width` likeliest beams, sorted.
template <class Beam>
void keep_likeliest(std::vector<Beam>& beams, Index width) {
  std::stable_sort(beams.begin(), beams.end(), [](const Beam& a, const Beam& b) {
    return a.log_probability > b.log_probability;
  });
  if (static_cast<Index>(beams.size()) > width) {
    beams.erase(beams.begin() + width, beams.end());
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Label sequences of a transducer, one for each sample of x: at each step of x the likeliest
/// labels are emitted, until the blank is the likeliest class. `mask` says which steps of x count.
///
/// Throws what predict of the encoder throws, StateError before the models are built, ShapeError
/// where they do not fit together, and ValueError on options below 1.
template <class Model>
[[nodiscard]] std::vector<std::vector<Index>> transducer_greedy(
    const Model& model, const Tensor<typename Model::scalar_type>& x, const Mask& mask = {},
    const TransducerSearchOptions& options = {}) {
  return detail::decode_samples(
      model, x, mask, options,
      [&](auto encoded, const std::vector<Index>& steps, const auto& start, auto& output) {
        auto beam = start;
        for (const Index t : steps) {
          for (Index emitted = 0; emitted < options.labels_per_step; ++emitted) {
            const auto logs = detail::score_place(output, encoded.step(t), beam.predicted);
            const auto best = std::max_element(logs.begin(), logs.end()) - logs.begin();
            if (best == 0) break;
            beam = beam.with(best, logs[static_cast<std::size_t>(best)]);
          }
        }
        return beam.labels;
      });
}

/// The likeliest label sequences, one for each sample of x. The probability of a sequence is the
/// sum over its alignments; at each step of x, and for each number of labels emitted there, the
/// search follows the `width` likeliest sequences (a breadth-first form of Graves 2012,
/// section 2.5). Arguments and errors as of transducer_greedy.
template <class Model>
[[nodiscard]] std::vector<std::vector<Index>> transducer_beam_search(
    const Model& model, const Tensor<typename Model::scalar_type>& x, const Mask& mask = {},
    const TransducerSearchOptions& options = {}) {
  return detail::decode_samples(
      model, x, mask, options,
      [&](auto encoded, const std::vector<Index>& steps, const auto& start, auto& output) {
        std::vector beams{start};
        for (const Index t : steps) {
          // Sequences grow at this step from the shortest on, so that a sequence has met all its
          // beginnings before it grows itself.
          std::vector<std::remove_cvref_t<decltype(start)>> next;
          std::size_t longest = 0;
          for (const auto& beam : beams) longest = (std::max)(longest, beam.labels.size());
          const std::size_t limit = longest + static_cast<std::size_t>(options.labels_per_step);
          for (std::size_t length = 0; length <= limit; ++length) {
            std::vector<std::remove_cvref_t<decltype(start)>> growing;
            std::erase_if(beams, [&](auto& beam) {
              if (beam.labels.size() != length) return false;
              growing.push_back(std::move(beam));
              return true;
            });
            detail::keep_likeliest(growing, options.width);
            for (const auto& beam : growing) {
              const auto logs = detail::score_place(output, encoded.step(t), beam.predicted);
              auto done = beam;
              done.log_probability += logs[0];
              detail::merge_beam(next, std::move(done));
              if (length == limit) continue;
              detail::keep_likeliest(next, options.width);
              const bool is_full = static_cast<Index>(next.size()) == options.width;
              for (std::size_t c = 1; c < logs.size(); ++c) {
                const double log_longer = beam.log_probability + logs[c];
                // What is less likely than all that are kept can never be kept.
                if (is_full && log_longer < next.back().log_probability) continue;
                detail::merge_beam(beams, beam.with(static_cast<Index>(c), logs[c]));
              }
            }
          }
          detail::keep_likeliest(next, options.width);
          beams = std::move(next);
        }
        return beams.front().labels;
      });
}

}  // namespace strata::inline STRATA_RUNTIME
