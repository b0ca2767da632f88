#pragma once

#include <algorithm>

#include <strata/kernels/simd.hpp>
#include <strata/rows.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// What a cell reads and writes in one step of a batch. A row of memory has all memories of a
/// sequence, each of them padded to whole registers, and behind them the cell's `more_memory`,
/// padded too.
template <class Scalar>
struct ScanStep {
  Index batch;
  /// The number of the step in the order of reading, from 0.
  Index step;
  Index steps;
  Rows<const Scalar> x;
  /// h before the step; null where it is zero.
  Rows<const Scalar> h_before;
  Rows<const Scalar> memory_before;
  Rows<Scalar> h;
  Rows<Scalar> memory;
  /// What a step reads and does not change; null where it is zero, or the cell has none.
  Rows<const Scalar> constants;
};

/// Where a scan over T steps of B sequences, or over a window of these steps, reads and writes.
/// Steps are counted from the first step of the window. Row number step B + b is that step of
/// sequence b.
template <class Scalar>
struct Scan {
  Index batch;
  /// Steps of the window.
  Index steps;
  /// T, the steps of the whole scan.
  Index all_steps;
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
  Rows<const Scalar> constants{};
  /// The step of the whole scan with which the window begins.
  Index first = 0;

  /// A window of this scan: `size` steps from step `begin` on, or fewer where the scan ends.
  [[nodiscard]] Scan window_of(Index begin, Index size) const noexcept {
    Scan part = *this;
    part.first += begin;
    part.steps = (std::min)(size, steps - begin);
    return part;
  }

  /// The number of the step of x that the cell reads in a step.
  [[nodiscard]] Index x_step(Index step) const noexcept {
    return backwards ? all_steps - 1 - first - step : first + step;
  }
  [[nodiscard]] Rows<const Scalar> x_rows(Index step) const noexcept {
    return {x + x_step(step) * inputs, all_steps * inputs};
  }
  [[nodiscard]] Rows<Scalar> h_rows(Index step) const noexcept {
    return {h + (first + step) % h_slots * outputs, h_slots * outputs};
  }
  /// The state before a step, without dropout.
  [[nodiscard]] Rows<const Scalar> h_carried(Index step) const noexcept {
    if (first + step == 0) return {h_initial, outputs};
    return h_rows(step - 1);
  }
  [[nodiscard]] Rows<const Scalar> h_before(Index step) const noexcept {
    if (h_dropped && (first + step > 0 || h_initial)) {
      return {h_dropped + (first + step) * batch * outputs, outputs};
    }
    return h_carried(step);
  }
  [[nodiscard]] Rows<Scalar> memory_rows(Index step) const noexcept {
    return {memory + (first + step) % memory_slots * batch * memory_size, memory_size};
  }

  [[nodiscard]] ScanStep<Scalar> at(Index step) const noexcept {
    return {.batch = batch,
            .step = step,
            .steps = steps,
            .x = x_rows(step),
            .h_before = h_before(step),
            .memory_before = memory_rows(step),
            .h = h_rows(step),
            .memory = memory_rows(step + 1),
            .constants = constants};
  }

  [[nodiscard]] Index rows() const noexcept { return steps * batch; }
  /// The number of rows that have no h before them: the first step's, without an initial state.
  [[nodiscard]] Index rows_without_h() const noexcept {
    return first == 0 && !h_initial ? batch : 0;
  }
  [[nodiscard]] const Scalar* x_row(Index row) const noexcept {
    return x_rows(row / batch)(row % batch);
  }
  [[nodiscard]] const Scalar* h_row_before(Index row) const noexcept {
    return h_before(row / batch)(row % batch);
  }
  /// The row of dx, (B, T, F), that belongs to a row.
  [[nodiscard]] Scalar* dx_row(Scalar* dx, Index row) const noexcept {
    return dx + (row % batch * all_steps + x_step(row / batch)) * inputs;
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
