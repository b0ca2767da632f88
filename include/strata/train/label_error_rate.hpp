#pragma once

#include <span>

#include <strata/contracts/held.hpp>
#include <strata/edit_distance.hpp>
#include <strata/model/ctc_decoding.hpp>
#include <strata/model/label_sequences.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/ctc.hpp>
#include <strata/train/figures.hpp>
#include <strata/train/metric.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The edit distances between the label sequences of ctc_greedy and those of the targets, divided
/// by the number of target labels: the phone or character error rate. Targets and predictions as of
/// CTC.
///
///   model.compile(Adam{}, CTC{}, {LabelErrorRate{}});
struct LabelErrorRate {
  static constexpr Targets targets = Targets::classes;
  static constexpr const char* name = "label_error_rate";
  static constexpr Mode mode = Mode::min;

  [[nodiscard]] static Shape target_shape(const Shape& output) { return CTC::target_shape(output); }

  /// The number of labels of a sample.
  template <class Scalar>
  [[nodiscard]] static double weight(SequenceView<const Scalar>, std::span<const bool>,
                                     SequenceView<const Scalar> target) {
    return static_cast<double>(detail::labels_of(target).size());
  }

  /// The edit distance of a sample.
  template <class Scalar>
  double operator()(SequenceView<const Scalar> prediction, std::span<const bool> counts,
                    SequenceView<const Scalar> target) const {
    return static_cast<double>(
        edit_distance(detail::ctc_greedy(prediction, counts), detail::labels_of(target)));
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<LabelErrorRate> : HeldAs<HeldFigure::label_error_rate> {};

}  // namespace strata::detail
