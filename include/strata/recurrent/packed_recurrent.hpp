#pragma once

#include <algorithm>

#include <strata/contracts/weight_order.hpp>
#include <strata/language/compiler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The packed weights of a recurrent layer, and its step for one sequence of a stream.
template <class Cell>
struct PackedRecurrent {
  using Scalar = typename Cell::scalar_type;

  typename Cell::Packed cell;
  /// How many numbers h has, and how many all memories of one sequence have together.
  Index outputs = 0;
  Index memory = 0;
  double zoneout = 0;
  double memory_zoneout = 0;
  bool zero_output_for_mask = false;

  /// x: F. state: h, then the memories. y: U.
  void step(const Scalar* x, Scalar* state, Scalar* y, WeightOrder order) const noexcept {
    if (zoneout > 0 || memory_zoneout > 0) return step_with_zoneout(x, state, y, order);
    step_cell(x, state, y, order);
  }

  /// A step that does not count: the state stays, and y is the last output again, or zeros with
  /// zero_output_for_mask.
  void skip(const Scalar*, const Scalar* state, Scalar* y, WeightOrder) const noexcept {
    if (zero_output_for_mask) {
      std::fill_n(y, outputs, Scalar(0));
    } else {
      std::copy_n(state, outputs, y);
    }
  }

 private:
  STRATA_ALWAYS_INLINE void step_cell(const Scalar* x, Scalar* state, Scalar* y,
                                      WeightOrder order) const noexcept {
    const Index size = Cell::fixed_outputs == Dynamic ? outputs : Cell::fixed_outputs;
    cell.step(x, state, state + size, y, order);
  }

  STRATA_NEVER_INLINE void step_with_zoneout(const Scalar* x, Scalar* state, Scalar* y,
                                             WeightOrder order) const noexcept {
    auto* const before = STRATA_STACK_ARRAY(Scalar, outputs + memory);
    std::copy_n(state, outputs + memory, before);
    step_cell(x, state, y, order);
    keep(memory_zoneout, before + outputs, state + outputs, memory);
    keep(zoneout, before, y, outputs);
    std::copy_n(y, outputs, state);
  }

  /// The mean of zoneout: every number keeps a share of its value before the step.
  static void keep(double share, const Scalar* before, Scalar* now, Index size) noexcept {
    if (share <= 0) return;
    const Scalar kept = static_cast<Scalar>(share);
    for (Index i = 0; i < size; ++i) now[i] = kept * before[i] + (1 - kept) * now[i];
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
