#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <strata/kernels/prefetch.hpp>
#include <strata/recurrent/gated/gate_products.hpp>
#include <strata/recurrent/gated/packed.hpp>
#include <strata/target.hpp>

// Cells whose equations go unit by unit, over a batch: one step forward, one step back, and the
// products over all steps that end a backward pass. The products are tiles; the arithmetic of the
// gates follows for each panel while its tile is in cache.

namespace strata::detail::inline STRATA_TARGET {

/// The tape of a gated cell, as [panel][step][sequence][slots][width]. Forward writes the
/// pre-activations or, in their place, what the gates' derivatives need; backward overwrites them
/// with dz. A panel has `rows` rows, one for each step and sequence.
template <class Scalar, class Gates, class Z>
[[nodiscard]] Z* tape_row(const GatePacked<Scalar, Gates>& packed, Z* z, Index rows, Index panel,
                          Index row) {
  return z + panel * rows * packed.wide + row * packed.row_size(panel);
}
template <class Scalar, class Gates>
[[nodiscard]] Scalar* tape_row(const GatePacked<Scalar, Gates>& packed, Scalar* z,
                               const ScanStep<Scalar>& at, Index panel, Index b = 0) {
  return tape_row(packed, z, at.steps * at.batch, panel, at.step * at.batch + b);
}

/// Loads all that the gates of one panel and one sequence read, except for h.
template <int Width, class Scalar, class Gates, class Step>
STRATA_ALWAYS_INLINE void load_gates(const GatePacked<Scalar, Gates>& packed, Index panel,
                                     const Scalar* z, const Scalar* memory, Step& to) {
  using P = Pack<Scalar, Width>;
  using Traits = GateTraits<Gates>;
  unroll<Traits::slots>([&](auto i) STRATA_INLINE_LAMBDA { to.z[i] = P::load(z + i * Width); });
  unroll<Traits::memories>([&](auto i) STRATA_INLINE_LAMBDA {
    to.memory[i] = P::load(memory + (i * packed.panels + panel) * packed.width);
  });
  unroll<Traits::peepholes>(
      [&](auto i) STRATA_INLINE_LAMBDA { to.peephole[i] = P::load(packed.peephole(i, panel)); });
}

/// The new h from what the gates read in `step`, in a prediction, which keeps nothing for a
/// backward pass.
template <class Equations, class Step>
[[nodiscard]] STRATA_ALWAYS_INLINE auto gates_predict(const Equations& equations, Step& step) {
  if constexpr (requires { equations.predict(step); }) {
    return equations.predict(step);
  } else {
    return equations(step);
  }
}

/// Writes bias + W x of all steps of a window to its tape. One step of a small batch does not fill
/// the columns of a tile; several steps do.
template <class Scalar, class Gates>
void gates_of_inputs(const GatePacked<Scalar, Gates>& packed, const Scan<Scalar>& window,
                     Scalar* z) {
  using Packed = GatePacked<Scalar, Gates>;
  const Scalar* x[tile_chunk];
  for_chunks(window.rows(), [&](Index start, Index size) {
    for (Index n = 0; n < size; ++n) x[n] = window.x_row(start + n);
    const TileSegment<Scalar> in{.depth = packed.inputs, .step = 1, .columns = x};
    for_each_panel(packed, [&](Index panel, auto panel_width) {
      constexpr int registers = Packed::registers(panel_width);
      constexpr Index row = registers * Packed::width;
      Scalar* const to = tape_row(packed, z, window.rows(), panel, start);
      for_vector_blocks<Scalar, registers>([&](auto block, auto vectors) {
        const Index lane = block * Packed::width;
        multiply_columns<vectors>(
            &in, 1, size, packed.kernel(panel, block, vectors),
            [&](Index) { return packed.bias(panel) + lane; },
            [&](Index n) { return to + n * row + lane; });
      });
    });
  });
}

/// One step of a batch: the pre-activations by `products`, then the gates. Where `z_tape` is null,
/// pre-activations lie in a small buffer for one panel at a time. The new h goes to the rows
/// `h_to`, without padding. With `training` the gates stay in the tape.
template <bool training, class Scalar, class Gates, class Equations, class Products>
STRATA_ALWAYS_INLINE void gates_forward_by(const Equations& equations,
                                           const GatePacked<Scalar, Gates>& packed,
                                           const ScanStep<Scalar>& at,
                                           std::type_identity_t<Scalar>* z_tape, Rows<Scalar> h_to,
                                           Products& products) {
  using Traits = GateTraits<Gates>;
  using Packed = GatePacked<Scalar, Gates>;
  alignas(64) Scalar scratch[static_cast<std::size_t>(tile_chunk * Packed::wide)];
  for_chunks(at.batch, [&](Index start, Index count) {
    products.begin(start, count);
    const auto panel_forward = [&](Index panel, auto panel_width) {
      constexpr int Width = panel_width;
      constexpr Index row = Packed::registers(Width) * Packed::width;
      using P = Pack<Scalar, Width>;
      const Index first_unit = panel * Packed::width;
      const Index used = packed.used(panel);
      Scalar* const z = z_tape ? tape_row(packed, z_tape, at, panel, start) : scratch;
      products(panel, panel_width, z);
      for (Index n = 0; n < count; ++n) {
        Scalar* const z_row = z + n * row;
        const Index b = start + n;
        typename Traits::template Step<P> step;
        load_gates<Width>(packed, panel, z_row, at.memory_before(b), step);
        if constexpr (Traits::reads_h) {
          step.h = at.h_before ? load_lanes<P>(at.h_before(b) + first_unit, used) : P::broadcast(0);
        }
        const P h = training ? equations(step) : gates_predict(equations, step);
        store_lanes(h, h_to(b) + first_unit, used);
        Scalar* const memory = at.memory(b);
        unroll<Traits::memories>([&](auto i) STRATA_INLINE_LAMBDA {
          step.memory[i].store(memory + (i * packed.panels + panel) * packed.width);
        });
        if constexpr (training) {
          unroll<Traits::slots>([&](auto i)
                                    STRATA_INLINE_LAMBDA { step.z[i].store(z_row + i * Width); });
        }
      }
    };
    // The order turns, so that a step begins with the weights that the step before left in the
    // cache.
    visit_panels<Dynamic>(packed, order_of_step(at.step), panel_forward);
  });
}

/// One step of a batch in the cell's own numbers. Where the pre-activations are `ready`, the tape
/// has bias + W x already (gates_of_inputs). All else as in gates_forward_by.
template <bool training, class Scalar, class Gates, class Equations>
void gates_forward(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                   const ScanStep<Scalar>& at, bool ready, std::type_identity_t<Scalar>* z_tape,
                   Rows<Scalar> h_to) {
  GateProducts<Scalar, Gates> products(packed, at, ready ? ProductsOf::h : ProductsOf::x_and_h);
  gates_forward_by<training>(equations, packed, at, z_tape, h_to, products);
}

/// One step back. In the tape the gates become dz. `dmemory`, the derivatives by the memories after
/// the step, become the derivatives by the memories before it. dh_direct gets the derivatives by
/// the h that the equations read themselves, besides the product U h. dh and dmemory are padded
/// like memories. Adds to dpeepholes, (P, padded U).
template <class Scalar, class Gates, class Equations>
void gates_backward_step(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                         const ScanStep<Scalar>& at, Scalar* z_tape, Rows<const Scalar> dh,
                         Rows<Scalar> dmemory, Rows<Scalar> dh_direct, Scalar* dpeepholes) {
  using Traits = GateTraits<Gates>;
  using Packed = GatePacked<Scalar, Gates>;
  for_each_panel(packed, [&](Index panel, auto panel_width) {
    constexpr int Width = panel_width;
    using P = Pack<Scalar, Width>;
    const Index first_unit = panel * Packed::width;
    const Index used = packed.used(panel);
    Scalar* z = tape_row(packed, z_tape, at, panel);
    for (Index b = 0; b < at.batch; ++b, z += Packed::registers(Width) * Packed::width) {
      typename Traits::template Step<P> step;
      load_gates<Width>(packed, panel, z, at.memory_before(b), step);
      step.h = P::broadcast(0);
      if constexpr (Traits::reads_h) {
        if (at.h_before) step.h = load_lanes<P>(at.h_before(b) + first_unit, used);
      }
      typename Traits::template Step<P> d;
      unroll<Traits::memories>([&](auto i) STRATA_INLINE_LAMBDA {
        d.memory[i] = P::load(dmemory(b) + (i * packed.panels + panel) * packed.width);
      });
      gates_backward(equations, step, P::load(dh(b) + first_unit), d);
      unroll<Traits::slots>([&](auto i) STRATA_INLINE_LAMBDA { d.z[i].store(z + i * Width); });
      unroll<Traits::memories>([&](auto i) STRATA_INLINE_LAMBDA {
        d.memory[i].store(dmemory(b) + (i * packed.panels + panel) * packed.width);
      });
      if constexpr (Traits::reads_h) d.h.store(dh_direct(b) + first_unit);
      unroll<Traits::peepholes>([&](auto i) STRATA_INLINE_LAMBDA {
        Scalar* const sum = dpeepholes + (i * packed.panels + panel) * packed.width;
        (P::load(sum) + d.peephole[i]).store(sum);
      });
    }
  });
}

/// dh before a step, rows of R, from the step's dz, through the recurrent kernel.
template <class Scalar, class Gates>
void gates_to_previous(const GatePacked<Scalar, Gates>& packed, const ScanStep<Scalar>& at,
                       Scalar* z, Rows<Scalar> dh) {
  multiply(
      packed.recurrent_transposed, at.batch, packed.wide,
      [&](Index b, Index panel) -> const Scalar* { return tape_row(packed, z, at, panel, b); },
      [&](Index b) { return dh(b); });
}

/// dx (B, T, F) from dz of all steps.
template <class Scalar, class Gates>
void gates_input_derivative(const GatePacked<Scalar, Gates>& packed, const Scan<Scalar>& scan,
                            const Scalar* z, Scalar* dx) {
  const Index rows = scan.rows();
  multiply(
      packed.kernel_transposed, rows, packed.wide,
      [&](Index row, Index panel) { return tape_row(packed, z, rows, panel, row); },
      [&](Index row) { return scan.dx_row(dx, row); });
}

/// Working memory of gates_gradients.
template <class Scalar>
struct GradientScratch {
  Buffer<Scalar> strips;
  Buffer<Scalar> sums;
};

/// Adds to the gradients of kernel, recurrent kernel and bias, from dz of all steps.
template <class Scalar, class Gates>
void gates_gradients(const GatePacked<Scalar, Gates>& packed, const Scan<Scalar>& scan,
                     const Scalar* z, const GateParameters<Scalar>& gradient,
                     GradientScratch<Scalar>& scratch) {
  using Traits = GateTraits<Gates>;
  using Packed = GatePacked<Scalar, Gates>;
  const Index rows = scan.rows();
  const Index columns = Traits::gates * packed.units;
  // Prefetches the rows of z that follow the rows of a panel from `start` on.
  const auto rows_after = [&](Index panel, Index start, Index calls) {
    const bool last = panel + 1 == packed.panels;
    const Index next = last ? 0 : panel + 1;
    const Index begin = last ? (std::min)(start + outer_product_rows, rows) : start;
    const Index count = (std::min)(outer_product_rows, rows - begin);
    return Prefetch<Scalar>(tape_row(packed, z, rows, next, begin), count * packed.row_size(next),
                            calls);
  };
  // Sums, over the rows of z from first_row on, the products of a row of z with the `size` numbers
  // of row(i) that the weights were multiplied with, and with a one for the bias where there are
  // `ones`. Calls add(j, panel, sums) with the sums of number j.
  const auto sum_products = [&](Index size, bool ones, Index first_row, auto row, auto add) {
    const Index all = size + (ones ? 1 : 0);
    scratch.sums.resize(packed.row_sizes() * all);
    scratch.sums.fill(0);
    for (Index start = first_row; start < rows; start += outer_product_rows) {
      const Index depth = (std::min)(outer_product_rows, rows - start);
      pack_strips(
          depth, size, ones, [&](Index r) { return row(start + r); }, scratch.strips);
      for_each_panel(packed, [&](Index panel, auto width) {
        constexpr int registers = Packed::registers(width);
        add_outer_product<registers>(tape_row(packed, z, rows, panel, start), depth, all,
                                     std::as_const(scratch.strips).data(),
                                     scratch.sums.data() + panel * all * Packed::wide,
                                     rows_after(panel, start, tile_count<Scalar>(all, registers)));
      });
    }
    const Scalar* from = scratch.sums.data();
    for (Index panel = 0; panel < packed.panels; ++panel) {
      for (Index j = 0; j < all; ++j, from += packed.row_size(panel)) add(j, panel, from);
    }
  };
  // Adds a row of sums to the columns of `to` that belong to its lanes.
  const auto add_to = [&](Scalar* to, Index panel, const Scalar* sums) {
    return [=, &packed](Index lane, Index column) {
      for (Index unit = 0; unit < packed.used(panel); ++unit)
        to[column + unit] += sums[lane + unit];
    };
  };
  sum_products(
      packed.inputs, gradient.bias != nullptr, 0, [&](Index row) { return scan.x_row(row); },
      [&](Index j, Index panel, const Scalar* sums) {
        const bool is_bias = j == packed.inputs;
        Scalar* const to = is_bias ? gradient.bias : gradient.kernel + j * columns;
        packed.for_each_kernel_slot(panel, add_to(to, panel, sums));
        if (is_bias && Traits::biases == 2) {
          packed.for_each_recurrent_slot(panel, add_to(to + columns, panel, sums));
        }
      });
  sum_products(
      packed.outputs, false, scan.rows_without_h(),
      [&](Index row) { return scan.h_row_before(row); },
      [&](Index j, Index panel, const Scalar* sums) {
        packed.for_each_recurrent_slot(
            panel, add_to(gradient.recurrent_kernel + j * columns, panel, sums));
      });
}

}  // namespace strata::detail::inline STRATA_TARGET
