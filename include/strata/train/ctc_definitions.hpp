#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/kernels/alignments.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/model/label_sequences.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/train/ctc.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
void check_ctc_target(SequenceView<const Scalar> target, Index counted, bool zero_infinity) {
  const std::vector<Index> labels = labels_of(target);
  if (!zero_infinity) check_alignable(labels, counted);
}

template <class Scalar>
double ctc_loss(SequenceView<const Scalar> prediction, std::span<const bool> counts,
                SequenceView<const Scalar> target, SequenceView<Scalar> gradient,
                bool zero_infinity) {
  const std::vector<Index> labels = labels_of(target);
  const Index classes = prediction.features();
  for (const Index label : labels) {
    if (label < 0 || label >= classes) {
      fail<ValueError>({"a label is ", label, ", but the classes are 0 to ", classes - 1});
    }
  }
  const std::vector<Index> steps = counted_steps(counts);
  const auto count = static_cast<Index>(steps.size());
  const auto write = [&](Index i, auto derivative) {
    for (Index c = 0; c < classes; ++c) {
      gradient(steps[static_cast<std::size_t>(i)], c) = static_cast<Scalar>(derivative(c));
    }
  };
  if (!zero_infinity) check_alignable(labels, count);
  if (count == 0 || count < steps_needed(labels)) {
    for (Index i = 0; !gradient.empty() && i < count; ++i) write(i, [](Index) { return 0; });
    return 0;
  }
  std::vector<double> logs;
  sizes::resize(logs, count * classes);
  for (Index i = 0; i < count; ++i) {
    log_softmax(prediction.step(steps[static_cast<std::size_t>(i)]).data(), classes,
                logs.data() + i * classes);
  }
  Alignments alignments(logs.data(), count, classes, labels);
  if (!gradient.empty()) {
    std::vector<double> probabilities(static_cast<std::size_t>(classes));
    alignments.for_each_share([&](Index i, const double* shares) {
      transform(
          classes, probabilities.data(), [](auto log) { return normal_exp(log); },
          logs.data() + i * classes);
      write(i, [&](Index c) { return probabilities[static_cast<std::size_t>(c)] - shares[c]; });
    });
  }
  return -alignments.log_likelihood();
}

}  // namespace strata::detail::inline STRATA_RUNTIME
