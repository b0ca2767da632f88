#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <strata/detail/gate_packed.hpp>
#include <strata/target.hpp>

// Cells whose equations go unit by unit, over a batch: one step forward, one step back, and the
// products over all steps that end a backward pass. The products are tiles; the arithmetic of the
// gates follows for each panel while its tile is in cache.

namespace strata::inline STRATA_TARGET::detail {

/// The tape of such cells: pre-activations, or what the gates left in their place, then dz, as
/// [panel][step][sequence][slots][width].
template <class Scalar, class Gates>
[[nodiscard]] Scalar* tape_row(const GatePacked<Scalar, Gates>& packed, Scalar* z,
                               const ScanStep<Scalar>& at, Index panel) {
  return z + (panel * at.steps + at.step) * at.batch * packed.wide;
}

/// Loads what the gates of one panel and one sequence read, but for h.
template <class Scalar, class Gates, class Step>
STRATA_ALWAYS_INLINE void load_gates(const GatePacked<Scalar, Gates>& packed, Index panel,
                                     const Scalar* z, const Scalar* memory, Step& to) {
  using P = Pack<Scalar>;
  using Traits = GateTraits<Gates>;
  unroll<Traits::slots>([&](auto i) __attribute__((always_inline)) {
    to.z[i] = P::load(z + i * P::width);
  });
  unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
    to.memory[i] = P::load(memory + (i * packed.panels + panel) * P::width);
  });
  unroll<Traits::peepholes>([&](auto i) __attribute__((always_inline)) {
    to.peephole[i] = P::load(packed.peephole(i, panel));
  });
}

/// One step of a batch. `z` is the tape in training, null otherwise. h goes to the rows `h`, of
/// which only the units are written.
template <bool training, class Scalar, class Gates, class Equations>
void gates_forward(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                   const ScanStep<Scalar>& at, std::type_identity_t<Scalar>* z_tape,
                   Rows<Scalar> h_to) {
  using P = Pack<Scalar>;
  using Traits = GateTraits<Gates>;
  constexpr int most = tile_columns<Scalar>;
  constexpr Index wide = GatePacked<Scalar, Gates>::wide;
  alignas(64) Scalar scratch[static_cast<std::size_t>(most * wide)];
  for (Index panel = 0; panel < packed.panels; ++panel) {
    const Index used = packed.used(panel);
    Scalar* const z_panel = training ? tape_row(packed, z_tape, at, panel) : nullptr;
    for_column_groups<Scalar>(at.batch, [&](Index first, int size) {
      const Scalar* in[most];
      const Scalar* from[most];
      Scalar* z[most];
      for (int n = 0; n < size; ++n) {
        in[n] = at.x(first + n);
        from[n] = packed.bias(panel);
        z[n] = training ? z_panel + (first + n) * wide : scratch + n * wide;
      }
      const auto product = tile_for<Scalar, Traits::slots>(size);
      product(packed.inputs, packed.kernel(panel), in, 1, from, z);
      if (at.h_before) {
        for (int n = 0; n < size; ++n) in[n] = at.h_before(first + n);
        product(packed.outputs, packed.recurrent(panel), in, 1, z, z);
      }
      for (int n = 0; n < size; ++n) {
        typename Traits::template Step<P> step;
        load_gates(packed, panel, z[n], at.memory_before(first + n), step);
        if constexpr (Traits::reads_h) {
          step.h = at.h_before ? load_lanes(at.h_before(first + n) + panel * P::width, used)
                               : P::broadcast(0);
        }
        const P h = equations(step);
        store_lanes(h, h_to(first + n) + panel * P::width, used);
        Scalar* const memory = at.memory(first + n);
        unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
          step.memory[i].store(memory + (i * packed.panels + panel) * P::width);
        });
        if constexpr (training) {
          unroll<Traits::slots>([&](auto i) __attribute__((always_inline)) {
            step.z[i].store(z[n] + i * P::width);
          });
        }
      }
    });
  }
}

/// One step back: the tape to dz, the derivatives by the memories to those before the step, and
/// what the gates' own reading of h gives to dh_direct. dh and dmemory are padded like memories.
/// Adds to dpeepholes, (P, padded U).
template <class Scalar, class Gates, class Equations>
void gates_backward_step(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                         const ScanStep<Scalar>& at, Scalar* z_tape, Rows<const Scalar> dh,
                         Rows<Scalar> dmemory, Rows<Scalar> dh_direct, Scalar* dpeepholes) {
  using P = Pack<Scalar>;
  using Traits = GateTraits<Gates>;
  constexpr Index wide = GatePacked<Scalar, Gates>::wide;
  for (Index panel = 0; panel < packed.panels; ++panel) {
    const Index used = packed.used(panel);
    Scalar* const z_panel = tape_row(packed, z_tape, at, panel);
    for (Index b = 0; b < at.batch; ++b) {
      Scalar* const z = z_panel + b * wide;
      typename Traits::template Step<P> step;
      load_gates(packed, panel, z, at.memory_before(b), step);
      if constexpr (Traits::reads_h) {
        step.h =
            at.h_before ? load_lanes(at.h_before(b) + panel * P::width, used) : P::broadcast(0);
      } else {
        step.h = P::broadcast(0);
      }
      typename Traits::template Step<P> d;
      unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
        d.memory[i] = P::load(dmemory(b) + (i * packed.panels + panel) * P::width);
      });
      gates_backward(equations, step, P::load(dh(b) + panel * P::width), d);
      unroll<Traits::slots>([&](auto i)
                                __attribute__((always_inline)) { d.z[i].store(z + i * P::width); });
      unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
        d.memory[i].store(dmemory(b) + (i * packed.panels + panel) * P::width);
      });
      if constexpr (Traits::reads_h) d.h.store(dh_direct(b) + panel * P::width);
      unroll<Traits::peepholes>([&](auto i) __attribute__((always_inline)) {
        Scalar* const sum = dpeepholes + (i * packed.panels + panel) * P::width;
        (P::load(sum) + d.peephole[i]).store(sum);
      });
    }
  }
}

/// dz of one step to dh before it, through the recurrent kernel: rows of R.
template <class Scalar, class Gates>
void gates_to_previous(const GatePacked<Scalar, Gates>& packed, const ScanStep<Scalar>& at,
                       const Scalar* z, Rows<Scalar> dh) {
  multiply(
      packed.recurrent_transposed, at.batch, packed.panels,
      [&](Index b, Index panel) {
        return z + ((panel * at.steps + at.step) * at.batch + b) * packed.wide;
      },
      [&](Index b) { return dh(b); });
}

/// dz of all steps to dx (B, T, F).
template <class Scalar, class Gates>
void gates_input_derivative(const GatePacked<Scalar, Gates>& packed, const Scan<Scalar>& scan,
                            const Scalar* z, Scalar* dx) {
  const Index rows = scan.steps * scan.batch;
  multiply(
      packed.kernel_transposed, rows, packed.panels,
      [&](Index row, Index panel) { return z + (panel * rows + row) * packed.wide; },
      [&](Index row) {
        const Index b = row % scan.batch;
        return dx + (b * scan.steps + scan.x_step(row / scan.batch)) * packed.inputs;
      });
}

/// Working memory of gates_gradients.
template <class Scalar>
struct GradientScratch {
  Buffer<Scalar> strips;
  Buffer<Scalar> sums;
};

/// dz of all steps to the gradients of kernel, recurrent kernel and bias, which are added to.
template <class Scalar, class Gates>
void gates_gradients(const GatePacked<Scalar, Gates>& packed, const Scan<Scalar>& scan,
                     const Scalar* z, const GateParameters<Scalar>& gradient,
                     GradientScratch<Scalar>& scratch) {
  using Traits = GateTraits<Gates>;
  constexpr Index wide = GatePacked<Scalar, Gates>::wide;
  const Index rows = scan.steps * scan.batch;
  const Index columns = Traits::gates * packed.units;
  // The rows of z, from first_row, with the row of numbers that each was multiplied with; then
  // add(j, panel, lane, sum).
  const auto sum_products = [&](Index size, Index first_row, auto row, auto add) {
    scratch.sums.resize(packed.panels * size * wide);
    scratch.sums.fill(0);
    add_outer_products<Traits::slots>(z, packed.panels, rows, first_row, size, row,
                                      scratch.sums.data(), scratch.strips);
    const Scalar* from = scratch.sums.data();
    for (Index panel = 0; panel < packed.panels; ++panel) {
      for (Index j = 0; j < size; ++j) {
        for (Index lane = 0; lane < wide; ++lane) add(j, panel, lane, *from++);
      }
    }
  };
  sum_products(
      packed.inputs, 0,
      [&](Index row) -> const Scalar* { return scan.x_rows(row / scan.batch)(row % scan.batch); },
      [&](Index j, Index panel, Index lane, Scalar sum) {
        const Index at = packed.kernel_column(panel, lane);
        if (at >= 0) gradient.kernel[j * columns + at] += sum;
      });
  sum_products(
      packed.outputs, scan.h_initial ? 0 : scan.batch,
      [&](Index row) -> const Scalar* { return scan.h_before(row / scan.batch)(row % scan.batch); },
      [&](Index j, Index panel, Index lane, Scalar sum) {
        const Index at = packed.recurrent_column(panel, lane);
        if (at >= 0) gradient.recurrent_kernel[j * columns + at] += sum;
      });
  if (!gradient.bias) return;
  const Scalar one = 1;
  sum_products(
      1, 0, [&](Index) { return &one; },
      [&](Index, Index panel, Index lane, Scalar sum) {
        const Index of_x = packed.kernel_column(panel, lane);
        if (of_x >= 0) gradient.bias[of_x] += sum;
        if constexpr (Traits::biases == 2) {
          const Index of_h = packed.recurrent_column(panel, lane);
          if (of_h >= 0) gradient.bias[columns + of_h] += sum;
        }
      });
}

/// One step of one sequence. x: F. h: R, read. memory: (memories, U), read and replaced.
/// emit(first, used, values) takes the new h, a register at a time.
template <class Scalar, class Gates, class Equations, class Emit>
void gates_step(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                const Scalar* x, const Scalar* h, Scalar* memory, Emit emit) noexcept {
  using P = Pack<Scalar>;
  using Traits = GateTraits<Gates>;
  alignas(64) Scalar scratch[static_cast<std::size_t>(GatePacked<Scalar, Gates>::wide)];
  Scalar* z = scratch;
  for (Index panel = 0; panel < packed.panels; ++panel) {
    const Index used = packed.used(panel);
    const Index first = panel * P::width;
    const Scalar* from = packed.bias(panel);
    tile<Scalar, Traits::slots, 1>(packed.inputs, packed.kernel(panel), &x, 1, &from, &z);
    from = z;
    tile<Scalar, Traits::slots, 1>(packed.outputs, packed.recurrent(panel), &h, 1, &from, &z);
    typename Traits::template Step<P> step;
    unroll<Traits::slots>([&](auto i) __attribute__((always_inline)) {
      step.z[i] = P::load(z + i * P::width);
    });
    unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
      step.memory[i] =
          load_lanes(static_cast<const Scalar*>(memory + i * packed.units + first), used);
    });
    unroll<Traits::peepholes>([&](auto i) __attribute__((always_inline)) {
      step.peephole[i] = P::load(packed.peephole(i, panel));
    });
    if constexpr (Traits::reads_h) step.h = load_lanes(h + first, used);
    const P y = equations(step);
    unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
      store_lanes(step.memory[i], memory + i * packed.units + first, used);
    });
    emit(first, used, y);
  }
}

}  // namespace strata::inline STRATA_TARGET::detail
