#pragma once

#include <algorithm>
#include <type_traits>

#include <strata/detail/gate_kernel.hpp>
#include <strata/target.hpp>

// One step of one sequence, for streams: nothing is kept, and all is in registers. Up to some 40
// units what counts is how long one result waits for the next; beyond, how fast the weights come
// from the caches.

namespace strata::inline STRATA_TARGET::detail {

/// sum[i] += weights[first + k][i] * values[k], summed over `count` rows of Registers registers, in
/// several chains that do not wait for each other. `weights` are those of a panel, of `depth` rows.
template <int Registers, int Chains, class Scalar>
STRATA_ALWAYS_INLINE void accumulate_rows(const Scalar* weights, Index depth, Index first,
                                          Index count, const Scalar* values,
                                          Pack<Scalar> (&sum)[Chains][Registers]) {
  using P = Pack<Scalar>;
  const auto accumulate = [&](auto chain, Index k) __attribute__((always_inline)) {
    const P value = P::broadcast(values[k]);
    for_vector_blocks<Scalar, Registers>([&](auto block,
                                             auto vectors) __attribute__((always_inline)) {
      const Scalar* const row = weights + (block * depth + (first + k) * vectors) * P::width;
      unroll<vectors>([&](auto v) __attribute__((always_inline)) {
        P& to = sum[chain][block + v];
        to = multiply_add(P::load(row + v * P::width), value, to);
      });
    });
  };
  Index k = 0;
  for (; k + Chains <= count; k += Chains) {
    unroll<Chains>([&](auto chain)
                       __attribute__((always_inline)) { accumulate(chain, k + chain); });
  }
  unroll<Chains - 1>([&](auto chain) __attribute__((always_inline)) {
    if (k + chain < count) accumulate(chain, k + chain);
  });
}

/// What one panel of a step reads, besides its weights.
template <class Scalar>
struct PanelStep {
  Index inputs;
  Index outputs;
  Index units;
  Index first_unit;
  /// The bias, or pre-activations to which only the recurrent kernel is to be added.
  const Scalar* from;
  /// The panel's: rows of the kernel, then `outputs` rows of the recurrent kernel.
  const Scalar* weights;
  Index depth;
  const Scalar* x;
  const Scalar* h;
  Scalar* memory;
  /// From one memory of all units to the next.
  Index memory_stride;
};

/// One panel of a step: the products, then the gates. Sizes are constants where those of the cell
/// are fixed.
template <int Width, class Scalar, class Gates, class Equations, class Emit>
STRATA_ALWAYS_INLINE void step_panel(const Equations& equations,
                                     const GatePacked<Scalar, Gates>& packed,
                                     const PanelStep<Scalar>& at, Emit& emit) {
  using Full = Pack<Scalar>;
  using P = Pack<Scalar, Width>;
  using Traits = GateTraits<Gates>;
  constexpr int registers = GatePacked<Scalar, Gates>::registers(Width);
  constexpr int chains = registers >= 8 ? 1 : 8 / registers;
  constexpr Index row = registers * Full::width;
  Full sum[chains][registers];
  unroll<registers>([&](auto i) __attribute__((always_inline)) {
    sum[0][i] = Full::load(at.from + i * Full::width);
    unroll<chains - 1>([&](auto c)
                           __attribute__((always_inline)) { sum[c + 1][i] = Full::broadcast(0); });
  });
  accumulate_rows<registers>(at.weights, at.depth, 0, at.inputs, at.x, sum);
  accumulate_rows<registers>(at.weights, at.depth, at.depth - at.outputs, at.outputs, at.h, sum);

  typename Traits::template Step<P> step;
  alignas(64) Scalar narrow[static_cast<std::size_t>(row)];
  unroll<registers>([&](auto i) __attribute__((always_inline)) {
    const auto fold = [&](auto gap) __attribute__((always_inline)) {
      unroll<gap>([&](auto c)
                      __attribute__((always_inline)) { sum[c][i] = sum[c][i] + sum[c + gap][i]; });
    };
    if constexpr (chains >= 8) fold(std::integral_constant<int, 4>{});
    if constexpr (chains >= 4) fold(std::integral_constant<int, 2>{});
    if constexpr (chains >= 2) fold(std::integral_constant<int, 1>{});
    if constexpr (Width == Full::width) {
      step.z[i] = sum[0][i];
    } else {
      sum[0][i].store(narrow + i * Full::width);
    }
  });
  if constexpr (Width < Full::width) {
    unroll<Traits::slots>([&](auto i) __attribute__((always_inline)) {
      step.z[i] = P::load(narrow + i * Width);
    });
  }
  const Index used = std::min<Index>(Width, at.units - at.first_unit);
  Scalar* const memory = at.memory + at.first_unit;
  unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
    step.memory[i] = load_lanes<P>(memory + i * at.memory_stride, used);
  });
  unroll<Traits::peepholes>([&](auto i) __attribute__((always_inline)) {
    step.peephole[i] = P::load(packed.peephole(i, at.first_unit / Full::width));
  });
  if constexpr (Traits::reads_h) {
    step.h = at.h ? load_lanes<P>(at.h + at.first_unit, used) : P::broadcast(0);
  }
  const P y = gates_predict(equations, step);
  unroll<Traits::memories>([&](auto i) __attribute__((always_inline)) {
    store_lanes(step.memory[i], memory + i * at.memory_stride, used);
  });
  emit(at.first_unit, used, y);
}

/// One step of one sequence. x: F. h: R, read. memory: (memories, U), read and replaced.
/// emit(first, used, values) takes the new h, a register at a time. Inputs and Units are Dynamic,
/// or the packed sizes; Outputs follows Units where that is fixed.
///
/// With `reverse` the panels are visited in the opposite order. A stream turns from step to step,
/// so that what is still in the first cache is used first; the results are the same bits.
///
/// Out of line: where several equations are inlined side by side, GCC loads all weights ahead of
/// the choice between them and spills them.
template <Index Inputs, Index Units, class Scalar, class Gates, class Equations, class Emit>
[[gnu::noinline]] void gates_step(const Equations& equations,
                                  const GatePacked<Scalar, Gates>& packed, const Scalar* x,
                                  const Scalar* h, Scalar* memory, bool reverse,
                                  Emit emit) noexcept {
  using Packed = GatePacked<Scalar, Gates>;
  const Index inputs = Inputs == Dynamic ? packed.inputs : Inputs;
  const Index units = Units == Dynamic ? packed.units : Units;
  const Index outputs = Units == Dynamic ? packed.outputs : Units;
  visit_panels<Units>(
      packed, reverse, [&](Index panel, auto width) __attribute__((always_inline)) {
        constexpr Index row = Packed::registers(width) * Packed::width;
        const Scalar* const bias =
            packed.forward.data() + panel * (1 + inputs + outputs) * Packed::wide;
        step_panel<width>(equations, packed,
                          {.inputs = inputs,
                           .outputs = outputs,
                           .units = units,
                           .first_unit = panel * Packed::width,
                           .from = bias,
                           .weights = bias + row,
                           .depth = inputs + outputs,
                           .x = x,
                           .h = h,
                           .memory = memory,
                           .memory_stride = units},
                          emit);
      });
}

/// One step of a batch of one sequence whose pre-activations are ready in `z` but for what the
/// recurrent kernel adds.
template <class Scalar, class Gates, class Equations>
[[gnu::noinline]] void gates_recurrent_step(const Equations& equations,
                                            const GatePacked<Scalar, Gates>& packed,
                                            const ScanStep<Scalar>& at, Scalar* z) {
  using Packed = GatePacked<Scalar, Gates>;
  Scalar* const h = at.h(0);
  const auto emit = [h](Index first, Index used, auto values) {
    store_lanes(values, h + first, used);
  };
  std::copy_n(at.memory_before(0), GateTraits<Gates>::memories * packed.panels * Packed::width,
              at.memory(0));
  visit_panels<Dynamic>(packed, at.step % 2 == 1, [&](Index panel, auto width) {
    step_panel<width>(equations, packed,
                      {.inputs = 0,
                       .outputs = at.h_before ? packed.outputs : 0,
                       .units = packed.units,
                       .first_unit = panel * Packed::width,
                       .from = tape_row(packed, z, at, panel),
                       .weights = packed.weights(panel),
                       .depth = packed.depth(),
                       .x = nullptr,
                       .h = at.h_before(0),
                       .memory = at.memory(0),
                       .memory_stride = packed.panels * Packed::width},
                      emit);
  });
}

}  // namespace strata::inline STRATA_TARGET::detail
