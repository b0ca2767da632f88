#pragma once

#include <algorithm>
#include <utility>

#include <strata/detail/buffer.hpp>
#include <strata/detail/lstm_gates.hpp>
#include <strata/detail/lstm_packed.hpp>
#include <strata/detail/product.hpp>
#include <strata/detail/simd.hpp>

// The LSTM over whole batches of sequences, forward and backward, and one step of one sequence. The
// products are tiles; the gate arithmetic follows for each panel while its tile is in cache.

namespace strata::detail {

/// masked = row * mask for all B rows of one step, where there is a mask.
template <class Scalar, class Row>
const Scalar* masked_rows(const Scalar* mask, Index batch, Index size, Row row,
                          Buffer<Scalar>& masked) {
  masked.resize(batch * size);
  for (Index b = 0; b < batch; ++b) {
    const Scalar* from = row(b);
    for (Index j = 0; j < size; ++j) masked.data()[b * size + j] = from[j] * mask[b * size + j];
  }
  return masked.data();
}

template <bool training, class Scalar, class Gates>
void lstm_forward(const Gates& gates, const LSTMPacked<Scalar>& packed,
                  const LSTMScan<Scalar>& scan) {
  using P = Pack<Scalar>;
  constexpr int most = tile_columns<Scalar>;
  constexpr Index wide = LSTMPacked<Scalar>::wide;
  alignas(64) Scalar scratch[static_cast<std::size_t>(most * wide)];
  Buffer<Scalar> masked;

  for (Index step = 0; step < scan.steps; ++step) {
    const auto h_before = [&](Index b) -> const Scalar* {
      return scan.h_row(step - 1, b, packed.units);
    };
    if (scan.h_mask && step > 0) {
      masked_rows(scan.h_mask, scan.batch, packed.units, h_before, masked);
    }
    for (Index panel = 0; panel < packed.panels; ++panel) {
      const Index used = packed.used(panel);
      for_column_groups<Scalar>(scan.batch, [&](Index first, int size) {
        const Scalar* in[most];
        const Scalar* from[most];
        Scalar* z[most];
        const Index row = (panel * scan.steps + step) * scan.batch + first;
        for (int n = 0; n < size; ++n) {
          in[n] = scan.x_row(step, first + n, packed.inputs);
          from[n] = packed.bias(panel);
          z[n] = training ? scan.z + (row + n) * wide : scratch + n * wide;
        }
        const auto product = tile_for<Scalar>(tile_vectors, size);
        product(packed.inputs, packed.kernel(panel), in, 1, from, z);
        if (step > 0) {
          for (int n = 0; n < size; ++n) {
            in[n] = scan.h_mask ? masked.data() + (first + n) * packed.units : h_before(first + n);
          }
          product(packed.units, packed.recurrent(panel), in, 1, z, z);
        }
        for (int n = 0; n < size; ++n) {
          const Index at = training ? row + n : panel * scan.batch + first + n;
          Scalar* c = scan.c + at * P::width;
          const P c_before = step == 0  ? P::broadcast(0)
                             : training ? P::load(c - scan.batch * P::width)
                                        : P::load(c);
          Scalar* h = scan.h_row(step, first + n, packed.units) + panel * P::width;
          lstm_gates<training>(gates, z[n], c_before, c, h, P::width, used);
        }
      });
    }
  }
}

/// Working memory of lstm_backward.
template <class Scalar>
struct LSTMBackwardScratch {
  Buffer<Scalar> dh;
  Buffer<Scalar> dc;
  Buffer<Scalar> strips;
  Buffer<Scalar> sums;
};

/// Gradients of the parameters in C order, which are added to.
template <class Scalar>
struct LSTMGradient {
  Scalar* kernel;
  Scalar* recurrent_kernel;
  Scalar* bias;  ///< null without bias
};

/// dy of one step added to dh; dy is (B, T, U), or (B, U) for the last step only.
template <class Scalar>
void add_output_derivative(const LSTMScan<Scalar>& scan, Index units, Index step, const Scalar* dy,
                           bool dy_sequence, Scalar* dh, Index dh_stride) {
  if (!dy_sequence && step < scan.steps - 1) return;
  for (Index b = 0; b < scan.batch; ++b) {
    const Scalar* from = dy + (dy_sequence ? (b * scan.steps + step) * units : b * units);
    for (Index u = 0; u < units; ++u) dh[b * dh_stride + u] += from[u];
  }
}

/// dz of one step to dh of the step before.
template <class Scalar>
void propagate_to_previous(const LSTMPacked<Scalar>& packed, const LSTMScan<Scalar>& scan,
                           Index step, Scalar* dh, Index dh_stride) {
  multiply(
      packed.recurrent_transposed, scan.batch, packed.panels,
      [&](Index b, Index panel) {
        return scan.z + ((panel * scan.steps + step) * scan.batch + b) * packed.wide;
      },
      [&](Index b) { return dh + b * dh_stride; });
  if (!scan.h_mask) return;
  for (Index b = 0; b < scan.batch; ++b) {
    for (Index u = 0; u < packed.units; ++u) {
      dh[b * dh_stride + u] *= scan.h_mask[b * packed.units + u];
    }
  }
}

/// Replaces the gates in scan.z by dz, from the last step to the first. dy: (B, T, U) with
/// `dy_sequence`, else (B, U), the derivative by the last output only.
template <class Scalar, class Gates>
void lstm_backward(const Gates& gates, const LSTMPacked<Scalar>& packed,
                   const LSTMScan<Scalar>& scan, const Scalar* dy, bool dy_sequence,
                   LSTMBackwardScratch<Scalar>& scratch) {
  using P = Pack<Scalar>;
  const Index batch = scan.batch;
  const Index padded = packed.panels * P::width;
  scratch.dh.resize(batch * padded);
  scratch.dh.fill(0);
  scratch.dc.resize(batch * padded);
  scratch.dc.fill(0);
  for (Index step = scan.steps - 1; step >= 0; --step) {
    add_output_derivative(scan, packed.units, step, dy, dy_sequence, scratch.dh.data(), padded);
    for (Index panel = 0; panel < packed.panels; ++panel) {
      for (Index b = 0; b < batch; ++b) {
        const Index row = (panel * scan.steps + step) * batch + b;
        const Scalar* c = scan.c + row * P::width;
        const P c_before = step == 0 ? P::broadcast(0) : P::load(c - batch * P::width);
        const P dh = P::load(scratch.dh.data() + b * padded + panel * P::width);
        lstm_gates_backward(gates, scan.z + row * packed.wide, P::load(c), c_before, dh,
                            scratch.dc.data() + (panel * batch + b) * P::width);
      }
    }
    if (step > 0) propagate_to_previous(packed, scan, step, scratch.dh.data(), padded);
  }
}

/// dz of all steps to dx (B, T, F).
template <class Scalar>
void lstm_input_derivative(const LSTMPacked<Scalar>& packed, const LSTMScan<Scalar>& scan,
                           Scalar* dx) {
  const Index rows = scan.steps * scan.batch;
  multiply(
      packed.kernel_transposed, rows, packed.panels,
      [&](Index row, Index panel) { return scan.z + (panel * rows + row) * packed.wide; },
      [&](Index row) {
        const Index b = row % scan.batch;
        return dx + (b * scan.steps + scan.x_step(row / scan.batch)) * packed.inputs;
      });
}

/// dz of all steps to the gradients of the parameters, which are added to.
template <class Scalar>
void lstm_parameter_gradients(const LSTMPacked<Scalar>& packed, const LSTMScan<Scalar>& scan,
                              const LSTMGradient<Scalar>& gradient,
                              LSTMBackwardScratch<Scalar>& scratch) {
  const Index batch = scan.batch;
  const Index rows = scan.steps * batch;
  // rows of z, from first_row, with the row of numbers that each was multiplied with.
  const auto add = [&](Index columns, Index first_row, auto row, Scalar* to) {
    scratch.sums.resize(packed.panels * columns * packed.wide);
    scratch.sums.fill(0);
    add_outer_products(std::as_const(scan.z), packed.panels, tile_vectors, rows, first_row, columns,
                       row, scratch.sums.data(), scratch.strips);
    const Scalar* from = scratch.sums.data();
    for (Index panel = 0; panel < packed.panels; ++panel) {
      for (Index j = 0; j < columns; ++j) {
        for (Index lane = 0; lane < packed.wide; ++lane, ++from) {
          const Index at = packed.gate_row(panel, lane);
          if (at >= 0) to[j * 4 * packed.units + at] += *from;
        }
      }
    }
  };
  add(
      packed.inputs, 0,
      [&](Index row) { return scan.x_row(row / batch, row % batch, packed.inputs); },
      gradient.kernel);
  Buffer<Scalar> masked;
  add(
      packed.units, batch,
      [&](Index row) -> const Scalar* {
        const Scalar* h = scan.h_row(row / batch - 1, row % batch, packed.units);
        if (!scan.h_mask) return h;
        const Scalar* mask = scan.h_mask + row % batch * packed.units;
        return masked_rows(
            mask, 1, packed.units, [&](Index) { return h; }, masked);
      },
      gradient.recurrent_kernel);
  const Scalar one = 1;
  if (gradient.bias)
    add(
        1, 0, [&](Index) { return &one; }, gradient.bias);
}

/// One step of one sequence. x: F, h and c: U, read and replaced; y: U, the new h.
template <class Scalar, class Gates>
void lstm_step(const Gates& gates, const LSTMPacked<Scalar>& packed, const Scalar* x, Scalar* h,
               Scalar* c, Scalar* y) noexcept {
  using P = Pack<Scalar>;
  alignas(64) Scalar scratch[static_cast<std::size_t>(LSTMPacked<Scalar>::wide)];
  Scalar* z = scratch;
  for (Index panel = 0; panel < packed.panels; ++panel) {
    const Index used = packed.used(panel);
    const Scalar* from = packed.bias(panel);
    tile<Scalar, tile_vectors, 1>(packed.inputs, packed.kernel(panel), &x, 1, &from, &z);
    from = z;
    const Scalar* h_in = h;
    tile<Scalar, tile_vectors, 1>(packed.units, packed.recurrent(panel), &h_in, 1, &from, &z);
    Scalar* c_panel = c + panel * P::width;
    lstm_gates<false>(gates, z, load_lanes(c_panel, used), c_panel, y + panel * P::width, used,
                      used);
  }
  std::copy_n(y, packed.units, h);
}

}  // namespace strata::detail
