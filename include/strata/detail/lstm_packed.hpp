#pragma once

#include <algorithm>

#include <strata/detail/buffer.hpp>
#include <strata/detail/product.hpp>

namespace strata::detail {

/// The weights of an LSTM layer as its kernels read them.
///
/// Units are handled in panels of one register width. For each panel the weights of the four gates
/// lie side by side, so that one tile computes i, f, g and o of its units for several sequences.
template <class Scalar>
struct LSTMPacked {
  static constexpr Index width = Pack<Scalar>::width;
  static constexpr Index wide = tile_vectors * width;

  Index inputs = 0;
  Index units = 0;
  Index panels = 0;

  /// For each panel: the bias, F rows of the kernel, U rows of the recurrent kernel; a row is the
  /// four gates of the panel's units.
  Buffer<Scalar> forward;
  /// dz to dx and dz to dh; packed for training only.
  PackedMatrix<Scalar> kernel_transposed;
  PackedMatrix<Scalar> recurrent_transposed;

  [[nodiscard]] Index panel_size() const noexcept { return (1 + inputs + units) * wide; }
  [[nodiscard]] const Scalar* bias(Index panel) const noexcept {
    return forward.data() + panel * panel_size();
  }
  [[nodiscard]] const Scalar* kernel(Index panel) const noexcept { return bias(panel) + wide; }
  [[nodiscard]] const Scalar* recurrent(Index panel) const noexcept {
    return kernel(panel) + inputs * wide;
  }
  /// Units of a panel that exist; the others pad the last one.
  [[nodiscard]] Index used(Index panel) const noexcept {
    return std::min(width, units - panel * width);
  }
  /// The index among 4U of a lane of a panel, -1 for padding.
  [[nodiscard]] Index gate_row(Index panel, Index lane) const noexcept {
    const Index unit = panel * width + lane % width;
    return unit < units ? lane / width * units + unit : -1;
  }

  /// kernel (F, 4U), recurrent kernel (U, 4U), bias (4U) in C order.
  void pack(Index new_inputs, Index new_units, const Scalar* kernel_values,
            const Scalar* recurrent_values, const Scalar* bias_values, bool training) {
    inputs = new_inputs;
    units = new_units;
    panels = (units + width - 1) / width;
    forward.resize(panels * panel_size());
    Scalar* to = forward.data();
    for (Index panel = 0; panel < panels; ++panel) {
      const auto pack_row = [&](const Scalar* row) {
        for (Index lane = 0; lane < wide; ++lane) {
          const Index from = gate_row(panel, lane);
          *to++ = from < 0 ? Scalar(0) : row[from];
        }
      };
      pack_row(bias_values);
      for (Index k = 0; k < inputs; ++k) pack_row(kernel_values + k * 4 * units);
      for (Index k = 0; k < units; ++k) pack_row(recurrent_values + k * 4 * units);
    }
    if (!training) return;
    const auto transposed = [&](const Scalar* values) {
      return [this, values](Index lane, Index k) {
        const Index from = gate_row(k / wide, k % wide);
        return from < 0 ? Scalar(0) : values[lane * 4 * units + from];
      };
    };
    kernel_transposed.pack(inputs, panels * wide, transposed(kernel_values));
    recurrent_transposed.pack(units, panels * wide, transposed(recurrent_values));
  }
};

/// Where a scan over T steps of B sequences reads and writes.
template <class Scalar>
struct LSTMScan {
  Index batch;
  Index steps;
  bool backwards;
  /// (B, T, F).
  const Scalar* x;
  /// (B, slots, U): slot s % slots holds h after step s. All steps are kept with slots = T.
  Scalar* h;
  Index slots;
  /// Dropout of h on its way to the next step, (B, U), or null.
  const Scalar* h_mask;
  /// Training: gates, then dz, as [panel][step][sequence][4 width]; null otherwise.
  Scalar* z;
  /// [panel][step][sequence][width] in training, [panel][sequence][width] otherwise.
  Scalar* c;

  [[nodiscard]] Index x_step(Index step) const noexcept {
    return backwards ? steps - 1 - step : step;
  }
  [[nodiscard]] const Scalar* x_row(Index step, Index b, Index inputs) const noexcept {
    return x + (b * steps + x_step(step)) * inputs;
  }
  [[nodiscard]] Scalar* h_row(Index step, Index b, Index units) const noexcept {
    return h + (b * slots + step % slots) * units;
  }
};

}  // namespace strata::detail
