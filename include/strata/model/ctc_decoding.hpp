#pragma once

#include <span>
#include <vector>

#include <strata/mask.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of ctc_beam_search.
///
///   ctc_beam_search(prediction, mask, {.width = 16})
struct CTCBeamSearchOptions {
  /// The number of beginnings of label sequences that are followed from step to step, at least 1.
  /// 16, from which on a larger width seldom changes the result.
  Index width = 16;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

/// ctc_greedy for one sample.
template <class Scalar>
[[nodiscard]] std::vector<Index> ctc_greedy(SequenceView<const Scalar> logits,
                                            std::span<const bool> counts);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The label sequences of the likeliest alignments, one for each sample: the likeliest class of
/// each step, of classes that follow each other and are equal only one, without blanks (class 0).
/// Graves et al. 2006, best path decoding.
///
/// Predictions are logits (B, T, C), as CTC takes them; `mask` says which steps count. Throws
/// ShapeError when the predictions are not (B, T, C) or the mask is not (B, T).
template <class Scalar>
[[nodiscard]] std::vector<std::vector<Index>> ctc_greedy(const Tensor<Scalar>& prediction,
                                                         const Mask& mask = {});

/// The likeliest label sequences, one for each sample. The probability of a sequence is the sum
/// over all its alignments; among the beginnings of sequences the search follows the `width`
/// likeliest from step to step (Graves & Jaitly 2014, algorithm 1, without a dictionary).
///
/// Predictions and mask as of ctc_greedy; throws what ctc_greedy throws, and ValueError on a width
/// below 1.
template <class Scalar>
[[nodiscard]] std::vector<std::vector<Index>> ctc_beam_search(
    const Tensor<Scalar>& prediction, const Mask& mask = {},
    const CTCBeamSearchOptions& options = {});

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/ctc_decoding_definitions.hpp>
#endif
