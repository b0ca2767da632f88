#pragma once

#include <algorithm>
#include <array>

#include <strata/kernels/wide_pack.hpp>
#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/batch_kernel.hpp>
#include <strata/target.hpp>

// A panel of units in a step of one sequence: its products and gates, all in registers.

namespace strata::detail::inline STRATA_TARGET {

/// What a step reads, besides weights, for one panel or for up to three panels at once.
template <class Scalar>
struct PanelStep {
  Index inputs;
  Index outputs;
  Index units;
  Index first_unit;
  /// For each panel, the row with which its sums start: the bias, or bias + W x where these
  /// products are taken already and `inputs` is 0.
  const Scalar* from[3];
  /// For each panel, `depth` rows of weights: first the rows of the kernel, last the `outputs` rows
  /// of the recurrent kernel.
  const Scalar* weights[3];
  Index depth;
  const Scalar* x;
  const Scalar* h;
  Scalar* memory;
  /// The distance from one memory of all units to the next memory.
  Index memory_stride;
};

/// Adds values[k] times row first + k of the weights for all k below `count`: register i of the R
/// registers of panel p's row goes to sum[chain][p R + i]. The rows go to the chains in turn, so
/// that no chain waits for another.
template <int Panels, int Chains, int Registers, class Scalar>
STRATA_ALWAYS_INLINE void accumulate_rows(const PanelStep<Scalar>& at, Index first, Index count,
                                          const Scalar* values,
                                          Pack<Scalar> (&sum)[Chains][Registers]) {
  using P = Pack<Scalar>;
  constexpr int registers = Registers / Panels;
  const auto accumulate = [&](auto chain, Index k) STRATA_INLINE_LAMBDA {
    const P value = P::broadcast(values[k]);
    unroll<Panels>([&](auto panel) STRATA_INLINE_LAMBDA {
      for_vector_blocks<Scalar, registers>([&](auto block, auto vectors) STRATA_INLINE_LAMBDA {
        const Scalar* const row =
            at.weights[panel] + (block * at.depth + (first + k) * vectors) * P::width;
        unroll<vectors>([&](auto v) STRATA_INLINE_LAMBDA {
          P& to = sum[chain][panel * registers + block + v];
          to = multiply_add(P::load(row + v * P::width), value, to);
        });
      });
    });
  };
  Index k = 0;
  // Where the count is fixed, Clang would unroll the whole loop, load weights early, and spill them
  // from the registers.
  STRATA_KEEP_LOOP
  for (; k + Chains <= count; k += Chains) {
    unroll<Chains>([&](auto chain) STRATA_INLINE_LAMBDA { accumulate(chain, k + chain); });
  }
  unroll<Chains - 1>([&](auto chain) STRATA_INLINE_LAMBDA {
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

/// Takes the pre-activations z of each slot from the registers of a panel's row, or of the rows of
/// two or three panels, whose slots become wide packs. Slots of a narrow panel share registers, so
/// they go through memory.
template <int Width, std::size_t Slots, int Registers, class Scalar>
STRATA_ALWAYS_INLINE void split_slots(const Pack<Scalar> (&sum)[Registers],
                                      std::array<Pack<Scalar, Width>, Slots>& z) {
  using Full = Pack<Scalar>;
  if constexpr (Width > Full::width) {
    unroll<Slots>(
        [&](auto i) STRATA_INLINE_LAMBDA { z[i] = join<Width, static_cast<int>(Slots)>(sum + i); });
  } else if constexpr (Width == Full::width) {
    unroll<Slots>([&](auto i) STRATA_INLINE_LAMBDA { z[i] = sum[i]; });
  } else {
    alignas(64) Scalar row[static_cast<std::size_t>(Registers * Full::width)];
    unroll<Registers>([&](auto i) STRATA_INLINE_LAMBDA { sum[i].store(row + i * Full::width); });
    unroll<Slots>([&](auto i)
                      STRATA_INLINE_LAMBDA { z[i] = Pack<Scalar, Width>::load(row + i * Width); });
  }
}

/// A step whose products are all taken by step_panel.
struct NoMoreProducts {
  template <class Sums>
  STRATA_ALWAYS_INLINE void operator()(Sums&) const {}
};

/// One step of a panel, or of two or three panels as one panel of `Width` units: the products, then
/// the gates. Where the cell has fixed sizes, the sizes in `at` are constants for the compiler.
/// add_more(sums) adds products that are not in `at` to the registers of the panel's row.
template <int Width, class Scalar, class Gates, class Equations, class Emit,
          class AddMore = NoMoreProducts>
STRATA_ALWAYS_INLINE void step_panel(const Equations& equations,
                                     const GatePacked<Scalar, Gates>& packed,
                                     const PanelStep<Scalar>& at, const Emit& emit,
                                     const AddMore& add_more = {}) {
  using Full = Pack<Scalar>;
  using P = Pack<Scalar, Width>;
  using Traits = GateTraits<Gates>;
  constexpr int registers = GatePacked<Scalar, Gates>::registers(Width);
  constexpr int chains = registers >= 8 ? 1 : 8 / registers;
  constexpr int panels = std::max<int>(Width / Full::width, 1);
  Full sum[chains][registers];
  unroll<registers>([&](auto i) STRATA_INLINE_LAMBDA {
    constexpr int each = registers / panels;
    sum[0][i] = Full::load(at.from[i / each] + i % each * Full::width);
    unroll<chains - 1>([&](auto c) STRATA_INLINE_LAMBDA { sum[c + 1][i] = Full::broadcast(0); });
  });
  // The product whose factor is known first comes first: x in the first layer, which mostly has few
  // inputs; h in a later layer, whose x is the output that the layer before is still computing.
  const bool x_first = at.inputs < at.outputs;
  const Index x_row = 0;
  const Index h_row = at.depth - at.outputs;
  accumulate_rows<panels>(at, x_first ? x_row : h_row, x_first ? at.inputs : at.outputs,
                          x_first ? at.x : at.h, sum);
  accumulate_rows<panels>(at, x_first ? h_row : x_row, x_first ? at.outputs : at.inputs,
                          x_first ? at.h : at.x, sum);
  unroll<registers>([&](auto i) STRATA_INLINE_LAMBDA {
    const auto fold = [&](auto gap) STRATA_INLINE_LAMBDA {
      unroll<gap>([&](auto c) STRATA_INLINE_LAMBDA { sum[c][i] = sum[c][i] + sum[c + gap][i]; });
    };
    if constexpr (chains >= 8) fold(std::integral_constant<int, 4>{});
    if constexpr (chains >= 4) fold(std::integral_constant<int, 2>{});
    if constexpr (chains >= 2) fold(std::integral_constant<int, 1>{});
  });

  add_more(sum[0]);

  typename Traits::template Step<P> step;
  split_slots(sum[0], step.z);
  const Index used = std::min<Index>(Width, at.units - at.first_unit);
  // A cell without memories has none to point to.
  Scalar* const memory = Traits::memories > 0 ? at.memory + at.first_unit : nullptr;
  unroll<Traits::memories>([&](auto i) STRATA_INLINE_LAMBDA {
    step.memory[i] = load_lanes<P>(memory + i * at.memory_stride, used);
  });
  unroll<Traits::peepholes>([&](auto i) STRATA_INLINE_LAMBDA {
    step.peephole[i] = P::load(packed.peephole(i, at.first_unit / Full::width));
  });
  if constexpr (Traits::reads_h) {
    step.h = at.h ? load_lanes<P>(at.h + at.first_unit, used) : P::broadcast(0);
  }
  const P y = gates_predict(equations, step);
  unroll<Traits::memories>([&](auto i) STRATA_INLINE_LAMBDA {
    store_lanes(step.memory[i], memory + i * at.memory_stride, used);
  });
  emit(at.first_unit, used, y);
}

}  // namespace strata::detail::inline STRATA_TARGET
