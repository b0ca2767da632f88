#pragma once

#include <algorithm>

#include <strata/detail/buffer.hpp>
#include <strata/detail/gates.hpp>
#include <strata/detail/product.hpp>
#include <strata/detail/scan.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Weights of a gated cell in the order of its parameters, Keras' memory: kernel (F, G U),
/// recurrent kernel (R, G U) for R outputs, bias (G U) or (2, G U) or null, peepholes (P, U).
template <class Scalar>
struct GateParameters {
  Scalar* kernel;
  Scalar* recurrent_kernel;
  Scalar* bias;
  Scalar* peepholes;
};

/// The weights of a gated cell as its kernels read them.
///
/// Units are handled in panels of one register width. For each panel the weights of all gates lie
/// side by side, so that one tile computes all gates of its units for several sequences.
template <class Scalar, class Gates>
struct GatePacked {
  using Traits = GateTraits<Gates>;
  static constexpr Index width = Pack<Scalar>::width;
  static constexpr Index wide = Traits::slots * width;

  Index inputs = 0;
  Index outputs = 0;
  Index units = 0;
  Index panels = 0;

  /// For each panel: the bias, F rows of the kernel, R rows of the recurrent kernel; a row is all
  /// slots of the panel's units.
  Buffer<Scalar> forward;
  /// (P, padded U).
  Buffer<Scalar> peepholes;
  /// dz to dx and dz to dh; packed for training only.
  PackedMatrix<Scalar> kernel_transposed;
  PackedMatrix<Scalar> recurrent_transposed;

  [[nodiscard]] Index panel_size() const noexcept { return (1 + inputs + outputs) * wide; }
  [[nodiscard]] const Scalar* bias(Index panel) const noexcept {
    return forward.data() + panel * panel_size();
  }
  [[nodiscard]] const Scalar* kernel(Index panel) const noexcept { return bias(panel) + wide; }
  [[nodiscard]] const Scalar* recurrent(Index panel) const noexcept {
    return kernel(panel) + inputs * wide;
  }
  [[nodiscard]] const Scalar* peephole(Index which, Index panel) const noexcept {
    return peepholes.data() + (which * panels + panel) * width;
  }
  /// Units of a panel that exist; the others pad the last one.
  [[nodiscard]] Index used(Index panel) const noexcept {
    return std::min(width, units - panel * width);
  }

  /// The column among G U of a lane of a panel, -1 for padding and for slots without one.
  [[nodiscard]] Index kernel_column(Index panel, Index lane) const noexcept {
    return column(Traits::kernel_gate(static_cast<int>(lane / width)), panel, lane);
  }
  [[nodiscard]] Index recurrent_column(Index panel, Index lane) const noexcept {
    return column(Traits::recurrent_gate(static_cast<int>(lane / width)), panel, lane);
  }

  void pack(Index new_inputs, Index new_outputs, Index new_units,
            const GateParameters<const Scalar>& from, bool training) {
    inputs = new_inputs;
    outputs = new_outputs;
    units = new_units;
    panels = (units + width - 1) / width;
    const Index columns = Traits::gates * units;
    forward.resize(panels * panel_size());
    Scalar* to = forward.data();
    for (Index panel = 0; panel < panels; ++panel) {
      for (Index lane = 0; lane < wide; ++lane) *to++ = bias_of(from.bias, panel, lane);
      for (Index k = 0; k < inputs; ++k) {
        for (Index lane = 0; lane < wide; ++lane) {
          const Index at = kernel_column(panel, lane);
          *to++ = at < 0 ? Scalar(0) : from.kernel[k * columns + at];
        }
      }
      for (Index k = 0; k < outputs; ++k) {
        for (Index lane = 0; lane < wide; ++lane) {
          const Index at = recurrent_column(panel, lane);
          *to++ = at < 0 ? Scalar(0) : from.recurrent_kernel[k * columns + at];
        }
      }
    }
    peepholes.resize(Traits::peepholes * panels * width);
    peepholes.fill(0);
    for (Index which = 0; which < Traits::peepholes; ++which) {
      std::copy_n(from.peepholes + which * units, units, peepholes.data() + which * panels * width);
    }
    if (!training) return;
    kernel_transposed.pack(inputs, panels * wide, [&](Index lane, Index k) {
      const Index at = kernel_column(k / wide, k % wide);
      return at < 0 ? Scalar(0) : from.kernel[lane * columns + at];
    });
    recurrent_transposed.pack(outputs, panels * wide, [&](Index lane, Index k) {
      const Index at = recurrent_column(k / wide, k % wide);
      return at < 0 ? Scalar(0) : from.recurrent_kernel[lane * columns + at];
    });
  }

 private:
  [[nodiscard]] Index column(int gate, Index panel, Index lane) const noexcept {
    const Index unit = panel * width + lane % width;
    return gate < 0 || unit >= units ? -1 : gate * units + unit;
  }

  [[nodiscard]] Scalar bias_of(const Scalar* bias, Index panel, Index lane) const noexcept {
    if (!bias) return 0;
    const Index of_x = kernel_column(panel, lane);
    const Index of_h = recurrent_column(panel, lane);
    if constexpr (Traits::biases == 1) {
      return of_x < 0 ? Scalar(0) : bias[of_x];
    } else {
      const Scalar* const second = bias + Traits::gates * units;
      return (of_x < 0 ? Scalar(0) : bias[of_x]) + (of_h < 0 ? Scalar(0) : second[of_h]);
    }
  }
};

}  // namespace strata::inline STRATA_TARGET::detail
