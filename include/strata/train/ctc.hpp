#pragma once

#include <span>

#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/any_loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

// The functions of CTC.

[[nodiscard]] inline Shape ctc_target_shape(const Shape& output) {
  if (output.rank() != 3 || output.back() < 2) {
    fail<ShapeError>(
        {"loss ctc: needs outputs (B, T, C) for a blank and at least one label, found ", output});
  }
  return {output[0], Dynamic};
}
template <class Scalar>
void check_ctc_target(SequenceView<const Scalar> target, Index counted, bool zero_infinity);
template <class Scalar>
[[nodiscard]] double ctc_loss(SequenceView<const Scalar> prediction, std::span<const bool> counts,
                              SequenceView<const Scalar> target, SequenceView<Scalar> gradient,
                              bool zero_infinity);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Connectionist temporal classification (Graves et al. 2006): -log p(labels | x), the sum over all
/// alignments of a label sequence with the steps of a longer sequence. The loss of a batch is the
/// mean over its samples, as of torch.nn.CTCLoss with reduction="none".
///
/// Predictions are logits (B, T, C) for C classes, of which class 0 is the blank. Targets are label
/// sequences (B, L), class numbers from 1 to C - 1, filled up with zeros behind the last label.
/// Only the steps that the mask counts are aligned.
///
///   Sequential asr{Bidirectional{LSTM{48, return_sequences}}, Dense{classes}};
///   asr.compile(Adam{}, CTC{});
///   asr.fit(x, labels, {.mask = mask});
///
/// Each label needs a step, and two equal labels in a row a step for the blank between them. Throws
/// ValueError, naming the sample, where there are fewer steps, and where a label stands behind a
/// zero.
struct CTC {
  static constexpr Targets targets = Targets::classes;
  static constexpr const char* name = "ctc";
  /// Whether a sample with fewer steps than its labels need has the loss 0 and no derivative,
  /// instead of an error; it still counts in the mean. False: such a sample is most often a
  /// mistake.
  bool zero_infinity = false;

  [[nodiscard]] static Predictions predictions() { return Predictions::logits; }

  /// (B, L) with any L. Throws ShapeError on outputs other than (B, T, C) of at least two classes.
  [[nodiscard]] static Shape target_shape(const Shape& output) {
    return detail::ctc_target_shape(output);
  }

  /// Throws ValueError on labels behind a zero, and, unless zero_infinity is set, where the labels
  /// need more than `counted` steps.
  template <class Scalar>
  void check_target(SequenceView<const Scalar> target, Index counted) const {
    detail::check_ctc_target(target, counted, zero_infinity);
  }

  template <class Scalar>
  double operator()(SequenceView<const Scalar> prediction, std::span<const bool> counts,
                    SequenceView<const Scalar> target, SequenceView<Scalar> gradient) const {
    return detail::ctc_loss(prediction, counts, target, gradient, zero_infinity);
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<CTC> : HeldAs<HeldFigure::ctc> {};

}  // namespace strata::detail

#ifndef STRATA_COMPILED
#include <strata/train/ctc_definitions.hpp>
#endif
