#pragma once

#include <strata/detail/simd.hpp>
#include <strata/rows.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// One step of a batch: what a cell reads and writes. Rows of memory are padded to whole registers
/// for each of the memories.
template <class Scalar>
struct ScanStep {
  Index batch;
  /// Steps in the order of reading, from 0.
  Index step;
  Index steps;
  Rows<const Scalar> x;
  /// h before the step; nothing where that is zero.
  Rows<const Scalar> h_before;
  Rows<const Scalar> memory_before;
  Rows<Scalar> h;
  Rows<Scalar> memory;
};

/// Where a scan over T steps of B sequences reads and writes.
template <class Scalar>
struct Scan {
  Index batch;
  Index steps;
  bool backwards;
  /// (B, T, F).
  const Scalar* x;
  Index inputs;
  /// (B, U), or null for zeros.
  const Scalar* h_initial;
  /// (B, slots, U): slot s % slots holds h after step s. All steps are kept with slots = T.
  Scalar* h;
  Index h_slots;
  Index outputs;
  /// (T, B, U): what the cell reads as h before each step where dropout changes it, or null.
  const Scalar* h_dropped;
  /// (slots, B, memory_size): slot s % slots holds the memory before step s.
  Scalar* memory;
  Index memory_slots;
  Index memory_size;

  [[nodiscard]] Index x_step(Index step) const noexcept {
    return backwards ? steps - 1 - step : step;
  }
  [[nodiscard]] Rows<const Scalar> x_rows(Index step) const noexcept {
    return {x + x_step(step) * inputs, steps * inputs};
  }
  [[nodiscard]] Rows<Scalar> h_rows(Index step) const noexcept {
    return {h + step % h_slots * outputs, h_slots * outputs};
  }
  /// The state before a step, not what dropout leaves of it.
  [[nodiscard]] Rows<const Scalar> h_carried(Index step) const noexcept {
    if (step == 0) return {h_initial, outputs};
    return h_rows(step - 1);
  }
  [[nodiscard]] Rows<const Scalar> h_before(Index step) const noexcept {
    if (h_dropped && (step > 0 || h_initial)) {
      return {h_dropped + step * batch * outputs, outputs};
    }
    return h_carried(step);
  }
  [[nodiscard]] Rows<Scalar> memory_rows(Index step) const noexcept {
    return {memory + step % memory_slots * batch * memory_size, memory_size};
  }

  [[nodiscard]] ScanStep<Scalar> at(Index step) const noexcept {
    return {.batch = batch,
            .step = step,
            .steps = steps,
            .x = x_rows(step),
            .h_before = h_before(step),
            .memory_before = memory_rows(step),
            .h = h_rows(step),
            .memory = memory_rows(step + 1)};
  }
};

}  // namespace strata::inline STRATA_TARGET::detail
