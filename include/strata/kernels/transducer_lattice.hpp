#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// All alignments of a transducer (Graves 2012, Sequence transduction with recurrent neural
/// networks, section 2.4): paths over the places (t, u), where u labels have been emitted while
/// step t is read. A blank leads from (t, u) to (t + 1, u), label u + 1 to (t, u + 1). Paths begin
/// at (0, 0) and end with the blank of the last step, behind all U labels.
class TransducerLattice {
 public:
  /// log p of the blank at each place, (T, U + 1), and of the next label, (T, U + 1), whose last
  /// column is not read. Both must outlive the object. Throws MemoryError when there is no memory
  /// for T (U + 1) numbers.
  TransducerLattice(const double* blanks, const double* labels, Index steps, Index label_count)
      : blanks_(blanks), labels_(labels), steps_(steps), width_(label_count + 1) {
    sizes::assign(forward_, sizes::count({steps_, width_}), log_of_zero);
    forward_[0] = 0;
    for (Index t = 0; t < steps_; ++t) {
      for (Index u = 0; u < width_; ++u) {
        double& here = forward_[at(t, u)];
        if (t > 0) here = log_sum(here, forward_[at(t - 1, u)] + blanks_[at(t - 1, u)]);
        if (u > 0) here = log_sum(here, forward_[at(t, u - 1)] + labels_[at(t, u - 1)]);
      }
    }
  }

  /// log p(labels | x), the sum over all alignments.
  [[nodiscard]] double log_likelihood() const {
    const std::size_t last = at(steps_ - 1, width_ - 1);
    return forward_[last] + blanks_[last];
  }

  /// Calls f(t, u, blank, label) for each place, from the last to the first, with the shares of the
  /// alignments, by their probability, that emit a blank and the next label there.
  template <class F>
  void for_each_share(F f) const {
    const double likelihood = log_likelihood();
    // log p of the paths from (t, u) and from (t + 1, u) on.
    std::vector<double> from(static_cast<std::size_t>(width_), log_of_zero);
    std::vector<double> below = from;
    // Behind the last step only the place with all labels is left.
    below.back() = 0;
    for (Index t = steps_ - 1; t >= 0; --t) {
      for (Index u = width_ - 1; u >= 0; --u) {
        const auto column = static_cast<std::size_t>(u);
        const double blank = blanks_[at(t, u)] + below[column];
        const double label = u + 1 < width_ ? labels_[at(t, u)] + from[column + 1] : log_of_zero;
        from[column] = log_sum(blank, label);
        const double to_here = forward_[at(t, u)] - likelihood;
        f(t, u, std::exp(to_here + blank), std::exp(to_here + label));
      }
      below = from;
    }
  }

 private:
  [[nodiscard]] std::size_t at(Index t, Index u) const noexcept {
    return static_cast<std::size_t>(t * width_ + u);
  }

  const double* blanks_;
  const double* labels_;
  Index steps_;
  /// U + 1
  Index width_;
  /// log p of all paths to a place, (T, U + 1).
  std::vector<double> forward_;
};

}  // namespace strata::detail::inline STRATA_TARGET
