#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include <strata/detail/gate_kernel.hpp>
#include <strata/detail/wide_pack.hpp>
#include <strata/target.hpp>

// One step of one sequence, for streams: nothing is kept, and all is in registers. Up to some 40
// units what counts is how long one result waits for the next; beyond, how fast the weights come
// from the caches.

namespace strata::inline STRATA_TARGET::detail {

/// What a panel of a step, or up to three of them together, read besides their weights.
template <class Scalar>
struct PanelStep {
  Index inputs;
  Index outputs;
  Index units;
  Index first_unit;
  /// For each panel: the bias, or pre-activations to which only the recurrent kernel is to be
  /// added; and rows of the kernel, then `outputs` rows of the recurrent kernel, `depth` of them.
  const Scalar* from[3];
  const Scalar* weights[3];
  Index depth;
  const Scalar* x;
  const Scalar* h;
  Scalar* memory;
  /// From one memory of all units to the next.
  Index memory_stride;
};

/// sum[p R + i] += row first + k of panel p's weights, register i of R, times values[k], summed
/// over `count` rows, in several chains that do not wait for each other.
template <int Panels, int Chains, int Registers, class Scalar>
STRATA_ALWAYS_INLINE void accumulate_rows(const PanelStep<Scalar>& at, Index first, Index count,
                                          const Scalar* values,
                                          Pack<Scalar> (&sum)[Chains][Registers]) {
  using P = Pack<Scalar>;
  constexpr int registers = Registers / Panels;
  const auto accumulate = [&](auto chain, Index k) __attribute__((always_inline)) {
    const P value = P::broadcast(values[k]);
    unroll<Panels>([&](auto panel) __attribute__((always_inline)) {
      for_vector_blocks<Scalar, registers>([&](auto block,
                                               auto vectors) __attribute__((always_inline)) {
        const Scalar* const row =
            at.weights[panel] + (block * at.depth + (first + k) * vectors) * P::width;
        unroll<vectors>([&](auto v) __attribute__((always_inline)) {
          P& to = sum[chain][panel * registers + block + v];
          to = multiply_add(P::load(row + v * P::width), value, to);
        });
      });
    });
  };
  Index k = 0;
#ifdef __clang__
  // Clang would unroll it to the end where the count is fixed, and then spills what it loaded
  // early.
#pragma clang loop unroll(disable)
#endif
  for (; k + Chains <= count; k += Chains) {
    unroll<Chains>([&](auto chain)
                       __attribute__((always_inline)) { accumulate(chain, k + chain); });
  }
  unroll<Chains - 1>([&](auto chain) __attribute__((always_inline)) {
    if (k + chain < count) accumulate(chain, k + chain);
  });
}

/// Registers, `Stride` apart, as one wide pack.
template <int Width, int Stride, class Scalar>
[[nodiscard]] STRATA_ALWAYS_INLINE Pack<Scalar, Width> join(const Pack<Scalar>* from) {
  if constexpr (Width == Pack<Scalar>::width) {
    return *from;
  } else {
    return {*from, join<Width - Pack<Scalar>::width, Stride>(from + Stride)};
  }
}

/// The pre-activations of each slot of a panel, or of some that make wide packs, from the registers
/// of their rows.
template <int Width, std::size_t Slots, int Registers, class Scalar>
STRATA_ALWAYS_INLINE void split_slots(const Pack<Scalar> (&sum)[Registers],
                                      std::array<Pack<Scalar, Width>, Slots>& z) {
  using Full = Pack<Scalar>;
  if constexpr (Width > Full::width) {
    unroll<Slots>([&](auto i) __attribute__((always_inline)) {
      z[i] = join<Width, static_cast<int>(Slots)>(sum + i);
    });
  } else if constexpr (Width == Full::width) {
    unroll<Slots>([&](auto i) __attribute__((always_inline)) { z[i] = sum[i]; });
  } else {
    alignas(64) Scalar row[static_cast<std::size_t>(Registers * Full::width)];
    unroll<Registers>([&](auto i)
                          __attribute__((always_inline)) { sum[i].store(row + i * Full::width); });
    unroll<Slots>([&](auto i) __attribute__((always_inline)) {
      z[i] = Pack<Scalar, Width>::load(row + i * Width);
    });
  }
}

/// One panel of a step, or up to three: the products, then the gates. Sizes are constants where
/// those of the cell are fixed.
template <int Width, class Scalar, class Gates, class Equations, class Emit>
STRATA_ALWAYS_INLINE void step_panel(const Equations& equations,
                                     const GatePacked<Scalar, Gates>& packed,
                                     const PanelStep<Scalar>& at, const Emit& emit) {
  using Full = Pack<Scalar>;
  using P = Pack<Scalar, Width>;
  using Traits = GateTraits<Gates>;
  constexpr int registers = GatePacked<Scalar, Gates>::registers(Width);
  constexpr int chains = registers >= 8 ? 1 : 8 / registers;
  constexpr int panels = std::max<int>(Width / Full::width, 1);
  Full sum[chains][registers];
  unroll<registers>([&](auto i) __attribute__((always_inline)) {
    constexpr int each = registers / panels;
    sum[0][i] = Full::load(at.from[i / each] + i % each * Full::width);
    unroll<chains - 1>([&](auto c)
                           __attribute__((always_inline)) { sum[c + 1][i] = Full::broadcast(0); });
  });
  // What is known first comes first: x of the first layer, which mostly has few inputs, and h of a
  // layer whose x is what the layer before gives.
  const bool x_first = at.inputs < at.outputs;
  const Index x_row = 0;
  const Index h_row = at.depth - at.outputs;
  accumulate_rows<panels>(at, x_first ? x_row : h_row, x_first ? at.inputs : at.outputs,
                          x_first ? at.x : at.h, sum);
  accumulate_rows<panels>(at, x_first ? h_row : x_row, x_first ? at.outputs : at.inputs,
                          x_first ? at.h : at.x, sum);
  unroll<registers>([&](auto i) __attribute__((always_inline)) {
    const auto fold = [&](auto gap) __attribute__((always_inline)) {
      unroll<gap>([&](auto c)
                      __attribute__((always_inline)) { sum[c][i] = sum[c][i] + sum[c + gap][i]; });
    };
    if constexpr (chains >= 8) fold(std::integral_constant<int, 4>{});
    if constexpr (chains >= 4) fold(std::integral_constant<int, 2>{});
    if constexpr (chains >= 2) fold(std::integral_constant<int, 1>{});
  });

  typename Traits::template Step<P> step;
  split_slots(sum[0], step.z);
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

/// Whether the gates have the activations of nearly every cell. Others are kept small rather than
/// fast.
template <class Equations>
inline constexpr bool has_standard_activations = requires(const Equations& equations) {
  requires std::remove_cvref_t<decltype(equations.act)>::standard;
};

/// A fixed size as a step of these equations knows it: Dynamic where Gates choose equations when
/// running and these are not the standard ones, whose kernel then is one for all sizes.
template <class Gates, class Equations>
[[nodiscard]] constexpr Index known_size(Index fixed) {
  const bool has_choice = !std::is_same_v<Gates, Equations>;
  return has_choice && !has_standard_activations<Equations> ? Dynamic : fixed;
}

/// Whether panels of a step come two at a time: in a small cell, where the time goes into results
/// that wait for each other. In a large one it goes into reading the weights.
template <class Equations, class Scalar, class Gates>
[[nodiscard]] constexpr bool in_pairs(Index inputs, Index outputs, Index units) {
  return has_standard_activations<Equations> && units > Pack<Scalar>::width &&
         GatePacked<Scalar, Gates>::is_small(inputs, outputs, units);
}

/// f(1), or f(2) where panels come in pairs. `inputs` are those that the step multiplies.
template <class Equations, Index Inputs, Index Units, class Scalar, class Gates, class F>
STRATA_ALWAYS_INLINE void with_panels_together(const GatePacked<Scalar, Gates>& packed,
                                               Index inputs, F f) {
  constexpr bool is_fixed = Inputs != Dynamic && Units != Dynamic;
  if constexpr (!is_fixed && has_standard_activations<Equations>) {
    if (in_pairs<Equations, Scalar, Gates>(inputs, packed.outputs, packed.units)) {
      return f(std::integral_constant<int, 2>{});
    }
  }
  constexpr bool pairs = is_fixed && in_pairs<Equations, Scalar, Gates>(Inputs, Units, Units);
  f(std::integral_constant < int, pairs ? 2 : 1 > {});
}

/// Whether all units of a step come together, so that nothing reads h after the first of them.
template <class Equations, Index Inputs, Index Units, class Scalar, class Gates>
[[nodiscard]] constexpr bool comes_at_once() {
  using Packed = GatePacked<Scalar, Gates>;
  if constexpr (known_size<Gates, Equations>(Units) == Dynamic) return false;
  if (Packed::panels_for(Units) == 1) return true;
  const bool is_group =
      Units == 3 * Packed::width ||
      (Packed::panels_for(Units) == 2 && Packed::last_width_for(Units) == Packed::width);
  return Inputs != Dynamic && is_group && in_pairs<Equations, Scalar, Gates>(Inputs, Units, Units);
}

/// Where the new h of a step goes, a register at a time.
template <class Scalar>
struct StepOutput {
  Scalar* to;

  template <class Values>
  STRATA_ALWAYS_INLINE void operator()(Index first, Index used, const Values& values) const {
    store_lanes(values, to + first, used);
  }
};

/// gates_step and gates_recurrent_step with so many panels together.
///
/// Out of line: where several equations are inlined side by side, GCC loads all weights ahead of
/// the choice between them and spills them.
template <int Together, Index Inputs, Index Units, class Scalar, class Gates, class Equations,
          class Emit>
[[gnu::noinline]] void gates_step_by(const Equations& equations,
                                     const GatePacked<Scalar, Gates>& packed, const Scalar* x,
                                     const Scalar* h, Scalar* memory, bool reverse,
                                     Emit emit) noexcept {
  using Packed = GatePacked<Scalar, Gates>;
  const Index inputs = Inputs == Dynamic ? packed.inputs : Inputs;
  const Index units = Units == Dynamic ? packed.units : Units;
  const Index outputs = Units == Dynamic ? packed.outputs : Units;
  const Index panel_size = (1 + inputs + outputs) * Packed::wide;
  visit_panels<Units, Together>(
      packed, reverse, [&](Index panel, auto width) __attribute__((always_inline)) {
        constexpr Index row =
            Packed::registers(std::min<int>(width, Packed::width)) * Packed::width;
        const Scalar* const bias = packed.forward.data() + panel * panel_size;
        const Scalar* const second = width > Packed::width ? bias + panel_size : bias;
        const Scalar* const third = width > 2 * Packed::width ? second + panel_size : second;
        step_panel<width>(equations, packed,
                          {.inputs = inputs,
                           .outputs = outputs,
                           .units = units,
                           .first_unit = panel * Packed::width,
                           .from = {bias, second, third},
                           .weights = {bias + row, second + row, third + row},
                           .depth = inputs + outputs,
                           .x = x,
                           .h = h,
                           .memory = memory,
                           .memory_stride = units},
                          emit);
      });
}
template <int Together, class Scalar, class Gates, class Equations>
[[gnu::noinline]] void gates_recurrent_step_by(const Equations& equations,
                                               const GatePacked<Scalar, Gates>& packed,
                                               const ScanStep<Scalar>& at, Scalar* z) {
  using Packed = GatePacked<Scalar, Gates>;
  const StepOutput<Scalar> emit{at.h(0)};
  std::copy_n(at.memory_before(0), GateTraits<Gates>::memories * packed.panels * Packed::width,
              at.memory(0));
  visit_panels<Dynamic, Together>(packed, at.step % 2 == 1, [&](Index panel, auto width) {
    const Index next = width > Packed::width ? panel + 1 : panel;
    step_panel<width>(
        equations, packed,
        {.inputs = 0,
         .outputs = at.h_before ? packed.outputs : 0,
         .units = packed.units,
         .first_unit = panel * Packed::width,
         .from = {tape_row(packed, z, at, panel), tape_row(packed, z, at, next), nullptr},
         .weights = {packed.weights(panel), packed.weights(next), nullptr},
         .depth = packed.depth(),
         .x = nullptr,
         .h = at.h_before(0),
         .memory = at.memory(0),
         .memory_stride = packed.panels * Packed::width},
        emit);
  });
}

/// One step of one sequence. x: F. h: R, read. memory: (memories, U), read and replaced.
/// emit(first, used, values) takes the new h as StepOutput does. Inputs and Units are Dynamic,
/// or the packed sizes; Outputs follows Units where that is fixed.
///
/// With `reverse` the panels are visited in the opposite order. A stream turns from step to step,
/// so that what is still in the first cache is used first; the results are the same bits.
template <Index Inputs, Index Units, class Scalar, class Gates, class Equations, class Emit>
STRATA_ALWAYS_INLINE void gates_step(const Equations& equations,
                                     const GatePacked<Scalar, Gates>& packed, const Scalar* x,
                                     const Scalar* h, Scalar* memory, bool reverse,
                                     Emit emit) noexcept {
  constexpr Index inputs = known_size<Gates, Equations>(Inputs);
  constexpr Index units = known_size<Gates, Equations>(Units);
  with_panels_together<Equations, inputs, units>(
      packed, packed.inputs, [&](auto together) __attribute__((always_inline)) {
        gates_step_by<together, inputs, units>(equations, packed, x, h, memory, reverse, emit);
      });
}

/// One step of a batch of one sequence whose pre-activations are ready in `z` but for what the
/// recurrent kernel adds.
template <class Scalar, class Gates, class Equations>
void gates_recurrent_step(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                          const ScanStep<Scalar>& at, Scalar* z) {
  with_panels_together<Equations, Dynamic, Dynamic>(packed, 0, [&](auto together) {
    gates_recurrent_step_by<together>(equations, packed, at, z);
  });
}

}  // namespace strata::inline STRATA_TARGET::detail
