#pragma once

#include <algorithm>

#include <strata/mask.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The steps of one sequence that count, for a layer that sees them as if the others were not there
/// and has no output for the first `lost` of them. The functions take rows of `width` numbers, one
/// for each step of the sequence, or, where they say outputs, for each step from step `lost` on.
struct CountedRows {
  const Mask* mask;  ///< Null where all steps count.
  Index sequence;
  Index steps;
  Index lost;

  [[nodiscard]] bool counts(Index t) const noexcept { return !mask || (*mask)(sequence, t); }

  /// Calls f(t, whether the output counts) for each step t that has an output.
  template <class F>
  void for_each_output(F f) const {
    Index before = 0;
    for (Index t = 0; t < steps; ++t) {
      if (t >= lost) f(t, counts(t) && before >= lost);
      if (counts(t)) ++before;
    }
  }

  /// Copies the rows of the steps that count to `to`, one behind the other. Returns their number.
  template <class Scalar>
  Index gather(const Scalar* rows, Index width, Scalar* to) const {
    Index count = 0;
    for (Index t = 0; t < steps; ++t) {
      if (counts(t)) std::copy_n(rows + t * width, width, to + count++ * width);
    }
    return count;
  }
  /// The way back of gather, with zeros for the steps that do not count.
  template <class Scalar>
  void scatter(const Scalar* from, Index width, Scalar* rows) const {
    for (Index t = 0; t < steps; ++t, rows += width) {
      if (counts(t)) {
        std::copy_n(from, width, rows);
        from += width;
      } else {
        std::fill_n(rows, width, Scalar(0));
      }
    }
  }

  /// Copies the outputs of the steps that count to `to`, with zeros for the first `lost` of them.
  /// Returns the number of steps that count.
  template <class Scalar>
  Index gather_outputs(const Scalar* outputs, Index width, Scalar* to) const {
    Index count = 0;
    for (Index t = 0; t < steps; ++t) {
      if (!counts(t)) continue;
      if (count < lost) {
        std::fill_n(to, width, Scalar(0));
      } else {
        std::copy_n(outputs + (t - lost) * width, width, to);
      }
      to += width;
      ++count;
    }
    return count;
  }
  /// Moves the outputs of `count` steps that count, which lie one behind the other, to their steps.
  template <class Scalar>
  void spread_outputs(Scalar* outputs, Index width, Index count) const {
    if (!mask) return;
    Index before = count;
    // From the last on, since none moves forwards.
    for (Index t = steps - 1; t >= lost; --t) {
      if (!counts(t)) continue;
      if (--before < lost) break;
      if (before < t) {
        std::copy_n(outputs + (before - lost) * width, width, outputs + (t - lost) * width);
      }
    }
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
