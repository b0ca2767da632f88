#pragma once

#include <algorithm>
#include <type_traits>

#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/batch_kernel.hpp>
#include <strata/recurrent/gated/step_panel.hpp>
#include <strata/target.hpp>

// One step of one sequence, for streams: nothing is kept for a backward pass, and sums and gates
// stay in registers. Up to some 40 units a step takes as long as the chain of results that wait for
// each other; with more units, as long as reading the weights from the caches.

namespace strata::detail::inline STRATA_TARGET {

/// Whether the gates have the usual activations, tanh and sigmoid. For these the compiler makes the
/// fastest code; for other activations it makes one kernel for all sizes, so that programs stay
/// small.
template <class Equations>
inline constexpr bool has_standard_activations = requires(const Equations& equations) {
  requires std::remove_cvref_t<decltype(equations.act)>::standard;
};

/// The size for which the step of some equations is compiled: the fixed size, or Dynamic where the
/// gates choose their equations at run time and these equations have unusual activations.
template <class Gates, class Equations>
[[nodiscard]] constexpr Index known_size(Index fixed) {
  const bool has_choice = !std::is_same_v<Gates, Equations>;
  return has_choice && !has_standard_activations<Equations> ? Dynamic : fixed;
}

/// Whether a step takes two panels at a time. This pays in a small cell, where results wait for
/// each other and a second panel fills the wait; a large cell waits for its weights instead.
template <class Equations, class Scalar, class Gates>
[[nodiscard]] constexpr bool in_pairs(Index inputs, Index outputs, Index units) {
  return has_standard_activations<Equations> && units > Pack<Scalar>::width &&
         GatePacked<Scalar, Gates>::is_small(inputs, outputs, units);
}

/// Calls f(2) where a step takes two panels at a time, otherwise f(1), with a constant. `inputs` is
/// the number of inputs that the step multiplies by the kernel.
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

/// Whether a step computes all units at once, so that no unit still reads the old h when the first
/// unit writes the new one.
template <class Equations, Index Inputs, Index Units, class Scalar, class Gates>
[[nodiscard]] constexpr bool comes_at_once() {
  using Packed = GatePacked<Scalar, Gates>;
  if constexpr (known_size<Gates, Equations>(Units) == Dynamic) return false;
  if (Packed::panels_for(Units) == 1) return true;
  const bool is_group =
      Packed::fills_three(Units) ||
      (Packed::panels_for(Units) == 2 && Packed::last_width_for(Units) == Packed::width);
  return Inputs != Dynamic && is_group && in_pairs<Equations, Scalar, Gates>(Inputs, Units, Units);
}

/// Writes the new h of a step to memory, a register at a time.
template <class Scalar>
struct StepOutput {
  Scalar* to;

  template <class Values>
  STRATA_ALWAYS_INLINE void operator()(Index first, Index used, const Values& values) const {
    store_lanes(values, to + first, used);
  }
};

/// For a step whose products are all taken in its panels.
struct NoProducts {
  [[nodiscard]] STRATA_ALWAYS_INLINE NoMoreProducts operator()(Index, auto) const { return {}; }
};

/// All panels of a step of one sequence, `Together` at a time. `inputs` and `outputs`: how many
/// numbers of x and of h are multiplied by the float weights. products(panel, width) is what
/// step_panel adds besides.
template <int Together, Index Inputs, Index Units, class Scalar, class Gates, class Equations,
          class Emit, class Products>
STRATA_ALWAYS_INLINE void step_panels(const Equations& equations,
                                      const GatePacked<Scalar, Gates>& packed, Index inputs,
                                      Index outputs, const Scalar* x, const Scalar* h,
                                      Scalar* memory, WeightOrder order, const Emit& emit,
                                      const Products& products) noexcept {
  using Packed = GatePacked<Scalar, Gates>;
  const Index units = Units == Dynamic ? packed.units : Units;
  const Index depth =
      (Inputs == Dynamic ? packed.inputs : Inputs) + (Units == Dynamic ? packed.outputs : Units);
  const Index panel_size = (1 + depth) * Packed::wide;
  visit_panels<Units, Together>(packed, order, [&](Index panel, auto width) STRATA_INLINE_LAMBDA {
    constexpr Index row = Packed::registers(std::min<int>(width, Packed::width)) * Packed::width;
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
                       .depth = depth,
                       .x = x,
                       .h = h,
                       .memory = memory,
                       .memory_stride = units},
                      emit, products(panel, width));
  });
}

/// The work of gates_step, with `Together` panels at a time.
///
/// Out of line: where several equations are inlined side by side, GCC loads all weights ahead of
/// the choice between them and spills them.
template <int Together, Index Inputs, Index Units, class Scalar, class Gates, class Equations,
          class Emit>
STRATA_NEVER_INLINE void gates_step_by(const Equations& equations,
                                       const GatePacked<Scalar, Gates>& packed, const Scalar* x,
                                       const Scalar* h, Scalar* memory, WeightOrder order,
                                       Emit emit) noexcept {
  step_panels<Together, Inputs, Units>(
      equations, packed, Inputs == Dynamic ? packed.inputs : Inputs,
      Units == Dynamic ? packed.outputs : Units, x, h, memory, order, emit, NoProducts());
}

/// The work of gates_recurrent_step; `outputs` and `products` as in step_panels.
template <int Together, class Scalar, class Gates, class Equations, class Products>
STRATA_NEVER_INLINE void gates_recurrent_step_by(const Equations& equations,
                                                 const GatePacked<Scalar, Gates>& packed,
                                                 const ScanStep<Scalar>& at, Scalar* z,
                                                 Index outputs, Products products) {
  using Packed = GatePacked<Scalar, Gates>;
  const StepOutput<Scalar> emit{at.h(0)};
  std::copy_n(at.memory_before(0), GateTraits<Gates>::memories * packed.panels * Packed::width,
              at.memory(0));
  visit_panels<Dynamic, Together>(packed, order_of_step(at.step), [&](Index panel, auto width) {
    const Index next = width > Packed::width ? panel + 1 : panel;
    step_panel<width>(
        equations, packed,
        {.inputs = 0,
         .outputs = outputs,
         .units = packed.units,
         .first_unit = panel * Packed::width,
         .from = {tape_row(packed, z, at, panel), tape_row(packed, z, at, next), nullptr},
         .weights = {packed.weights(panel), packed.weights(next), nullptr},
         .depth = packed.depth(),
         .x = nullptr,
         .h = at.h_before(0),
         .memory = at.memory(0),
         .memory_stride = packed.panels * Packed::width},
        emit, products(panel, width));
  });
}

/// One step of one sequence. x: F. h: R, read. memory: (memories, U), read and replaced.
/// emit(first, used, values) takes the new h as StepOutput does. Inputs and Units are Dynamic,
/// or the packed sizes; Outputs follows Units where that is fixed.
///
/// The panels are visited in `order`, which a stream turns from step to step, so that the weights
/// which are still in the first cache are used first; the results are the same bits.
template <Index Inputs, Index Units, class Scalar, class Gates, class Equations, class Emit>
STRATA_ALWAYS_INLINE void gates_step(const Equations& equations,
                                     const GatePacked<Scalar, Gates>& packed, const Scalar* x,
                                     const Scalar* h, Scalar* memory, WeightOrder order,
                                     Emit emit) noexcept {
  constexpr Index inputs = known_size<Gates, Equations>(Inputs);
  constexpr Index units = known_size<Gates, Equations>(Units);
  with_panels_together<Equations, inputs, units>(
      packed, packed.inputs, [&](auto together) STRATA_INLINE_LAMBDA {
        gates_step_by<together, inputs, units>(equations, packed, x, h, memory, order, emit);
      });
}

/// One step of a batch of one sequence whose pre-activations are ready in `z` but for what the
/// recurrent kernel adds.
template <class Scalar, class Gates, class Equations>
void gates_recurrent_step(const Equations& equations, const GatePacked<Scalar, Gates>& packed,
                          const ScanStep<Scalar>& at, Scalar* z) {
  with_panels_together<Equations, Dynamic, Dynamic>(packed, 0, [&](auto together) {
    gates_recurrent_step_by<together>(equations, packed, at, z, at.h_before ? packed.outputs : 0,
                                      NoProducts());
  });
}

}  // namespace strata::detail::inline STRATA_TARGET
