#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Label sequences as CTC and the transducer have them: class numbers from 1 on, of which a row of a
// tensor holds some, filled up with zeros.

namespace strata::detail::inline STRATA_RUNTIME {

/// The labels of a sample, up to the first zero. Throws ValueError on a label behind it.
template <class Scalar>
[[nodiscard]] std::vector<Index> labels_of(SequenceView<const Scalar> target) {
  std::vector<Index> labels;
  const std::span<const Scalar> values = target.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto label = static_cast<Index>(values[i]);
    if (label == 0) continue;
    if (labels.size() < i) {
      fail<ValueError>({"label ", i, " is ", label, ", but label ", labels.size(),
                        " is 0, which fills up rows behind their last label"});
    }
    labels.push_back(label);
  }
  return labels;
}

/// The steps that CTC needs for labels: one for each, and one between equal labels in a row.
[[nodiscard]] inline Index steps_needed(const std::vector<Index>& labels) {
  auto steps = static_cast<Index>(labels.size());
  for (std::size_t i = 1; i < labels.size(); ++i) steps += labels[i] == labels[i - 1];
  return steps;
}

/// Throws ValueError where labels need more steps than `counted`.
inline void check_alignable(const std::vector<Index>& labels, Index counted) {
  const Index needed = steps_needed(labels);
  if (needed <= counted) return;
  fail<ValueError>({labels.size(), " labels, ", needed - static_cast<Index>(labels.size()),
                    " of which are equal to the label before, need ", needed, " steps, but ",
                    counted, " count"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
