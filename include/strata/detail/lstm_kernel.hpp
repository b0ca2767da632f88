#pragma once

#include <algorithm>

#include <strata/activation.hpp>
#include <strata/detail/buffer.hpp>
#include <strata/detail/product.hpp>
#include <strata/detail/simd.hpp>

// The LSTM over whole batches of sequences. Units are handled in panels of one register width. For
// each panel the weights of the four gates lie side by side, so that one tile computes i, f, g and
// o of its units for several sequences, and the gate arithmetic follows while they are in cache.

namespace strata::detail {

/// tanh and sigmoid, the activations of nearly every LSTM.
struct StandardGates {
  template <class V>
  static STRATA_ALWAYS_INLINE V sigma(const V& z) {
    const V half = constant<V>(0.5);
    return multiply_add(half, tanh(half * z), half);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V phi(const V& z) {
    return tanh(z);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V sigma_derivative(const V& y) {
    return y * (constant<V>(1) - y);
  }
  template <class V>
  static STRATA_ALWAYS_INLINE V phi_derivative(const V& y) {
    return constant<V>(1) - y * y;
  }
};

/// Any other pair of activations; rare, and so kept small rather than fast.
struct ChosenGates {
  Activation activation;
  Activation recurrent_activation;

  template <class V>
  V sigma(const V& z) const {
    return activate_chosen(recurrent_activation, z);
  }
  template <class V>
  V phi(const V& z) const {
    return activate_chosen(activation, z);
  }
  template <class V>
  V sigma_derivative(const V& y) const {
    return derivative_chosen(recurrent_activation, y);
  }
  template <class V>
  V phi_derivative(const V& y) const {
    return derivative_chosen(activation, y);
  }

 private:
  template <class V>
  [[gnu::noinline]] static V activate_chosen(Activation which, const V& z) {
    return activate(which, z);
  }
  template <class V>
  [[gnu::noinline]] static V derivative_chosen(Activation which, const V& y) {
    return derivative(which, y);
  }
};

template <class F>
void with_gates(Activation activation, Activation recurrent_activation, F&& f) {
  if (activation == Activation::tanh && recurrent_activation == Activation::sigmoid) {
    f(StandardGates{});
  } else {
    f(ChosenGates{activation, recurrent_activation});
  }
}

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

/// Pre-activations z of one panel and one sequence to c' and h'. The activations i, f, g, o replace
/// z where `keep` asks for them.
template <bool keep, class Scalar, class Gates>
STRATA_ALWAYS_INLINE void lstm_gates(const Gates& gates, Scalar* z, Pack<Scalar> c, Scalar* c_next,
                                     Scalar* h_next, Index used_c, Index used_h) {
  using P = Pack<Scalar>;
  const P i = gates.sigma(P::load(z));
  const P f = gates.sigma(P::load(z + P::width));
  const P g = gates.phi(P::load(z + 2 * P::width));
  const P o = gates.sigma(P::load(z + 3 * P::width));
  c = multiply_add(f, c, i * g);
  store_lanes(c, c_next, used_c);
  store_lanes(o * gates.phi(c), h_next, used_h);
  if constexpr (keep) {
    i.store(z);
    f.store(z + P::width);
    g.store(z + 2 * P::width);
    o.store(z + 3 * P::width);
  }
}

/// The gates i, f, g, o of one panel and one sequence, replaced by dz; dc by the dc of the step
/// before. `c` is the memory after this step, `c_previous` before it.
template <class Scalar, class Gates>
STRATA_ALWAYS_INLINE void lstm_gates_backward(const Gates& gates, Scalar* z, Pack<Scalar> c,
                                              Pack<Scalar> c_previous, Pack<Scalar> dh,
                                              Scalar* dc) {
  using P = Pack<Scalar>;
  const P i = P::load(z);
  const P f = P::load(z + P::width);
  const P g = P::load(z + 2 * P::width);
  const P o = P::load(z + 3 * P::width);
  const P y = gates.phi(c);
  const P d = multiply_add(dh * o, gates.phi_derivative(y), P::load(dc));
  (d * g * gates.sigma_derivative(i)).store(z);
  (d * c_previous * gates.sigma_derivative(f)).store(z + P::width);
  (d * i * gates.phi_derivative(g)).store(z + 2 * P::width);
  (dh * y * gates.sigma_derivative(o)).store(z + 3 * P::width);
  (d * f).store(dc);
}

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
