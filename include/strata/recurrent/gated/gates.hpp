#pragma once

#include <algorithm>
#include <array>

#include <strata/kernels/dual.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// A gated cell takes one product with x and one with h, and computes the gates of each unit from
// them. `Gates` are these equations and the layout of a unit; all else is the same for all such
// cells.

namespace strata::inline STRATA_TARGET {

/// What the equations of one unit read, and replace by what they compute. A V is a register of
/// numbers, one for each of several units, or such a register with its derivatives.
template <class V, int Slots, int Memories, int Peepholes>
struct GateStep {
  /// Pre-activations, W x + U h + b for each gate. Gates with a backward of their own may leave
  /// what it needs here.
  std::array<V, Slots> z;
  /// The output before the step.
  V h;
  /// The unit's other memories before the step, which the equations replace by the memories after
  /// it.
  std::array<V, Memories> memory;
  /// Weights of the unit itself.
  std::array<V, Peepholes> peephole;
};

/// What a unit of a gated cell has, as its gates say:
///
///   static constexpr GateLayout layout{.gates = 4, .memories = 1, .reads_h = false};
struct GateLayout {
  /// Rows of the kernel, the recurrent kernel and the bias for each unit; at least 1.
  int gates = 0;
  /// Numbers that a unit keeps from step to step besides its output h; an LSTM has one, c.
  int memories = 0;
  /// Whether the equations read h itself, besides the product with it. True, since a cell that
  /// reads it and does not say so would be wrong, and one that need not say so is only slower.
  bool reads_h = true;
  /// 1: a bias for each gate. 2: one for its product with x and one for its product with h.
  int biases = 1;
  /// The number of gates, counted from the last, whose products with x and with h are two separate
  /// pre-activations: s.z[gate] has the product with x, and the products with h follow behind all
  /// gates. A GRU has one such gate, its candidate.
  int separate_gates = 0;
  /// Weights of a unit itself, which the gates name: `static constexpr std::array peephole_names`.
  int peepholes = 0;
  /// Whether the gates may do without their peepholes: `has_peepholes()` says so while running.
  bool optional_peepholes = false;
  /// Whether the gates choose among several equations while running: `with_equations(f)` calls
  /// f(equations). Otherwise the gates themselves are the equations.
  bool chooses_equations = false;
};

namespace detail {

/// The sizes of `Gates`, from their layout.
template <class Gates>
struct GateTraits {
  static_assert(
      requires { Gates::layout; },
      "strata: the gates of a cell say what a unit has: "
      "static constexpr GateLayout layout{.gates = 2};");
  static constexpr GateLayout layout = Gates::layout;
  static_assert(layout.gates > 0 && layout.separate_gates <= layout.gates);

  static constexpr int gates = layout.gates;
  /// Pre-activations of a unit: one for each gate, and a second one where the products with x and
  /// with h stay apart.
  static constexpr int slots = layout.gates + layout.separate_gates;
  static constexpr int memories = layout.memories;
  static constexpr int peepholes = layout.peepholes;
  static constexpr bool reads_h = layout.reads_h;
  static constexpr int biases = layout.biases;

  /// The gate whose kernel goes to a slot; -1 for none.
  static constexpr int kernel_gate(int slot) { return slot < gates ? slot : -1; }
  /// The gate whose recurrent kernel goes to a slot; -1 for none.
  static constexpr int recurrent_gate(int slot) {
    if (slot < gates - layout.separate_gates) return slot;
    return slot < gates ? -1 : slot - layout.separate_gates;
  }

  template <class V>
  using Step = GateStep<V, slots, memories, peepholes>;
};

/// One step back. `at` is the GateStep as the equations left it. `dh` is the derivative by the
/// output, and `d.memory` holds the derivatives by the memories after the step; `d` becomes the
/// derivatives by everything that the step read.
template <class Equations, class V, int Slots, int Memories, int Peepholes>
STRATA_ALWAYS_INLINE void gates_backward(const Equations& equations,
                                         const GateStep<V, Slots, Memories, Peepholes>& at,
                                         const V& dh, GateStep<V, Slots, Memories, Peepholes>& d) {
  if constexpr (requires { equations.backward(at, dh, d); }) {
    equations.backward(at, dh, d);
  } else {
    // Forward-mode derivatives: each input is a variable of its own.
    using D = Dual<V, Slots + 1 + Memories + Peepholes>;
    GateStep<D, Slots, Memories, Peepholes> step;
    int variable = 0;
    const auto make = [&](const V& value) { return D::variable(value, variable++); };
    std::transform(at.z.begin(), at.z.end(), step.z.begin(), make);
    step.h = make(at.h);
    std::transform(at.memory.begin(), at.memory.end(), step.memory.begin(), make);
    std::transform(at.peephole.begin(), at.peephole.end(), step.peephole.begin(), make);
    const D h = equations(step);
    variable = 0;
    const auto dmemory = d.memory;
    const auto by_next = [&] {
      const auto v = static_cast<std::size_t>(variable++);
      V sum = dh * h.slopes[v];
      for (std::size_t i = 0; i < dmemory.size(); ++i) {
        sum = multiply_add(dmemory[i], step.memory[i].slopes[v], sum);
      }
      return sum;
    };
    for (auto& value : d.z) value = by_next();
    d.h = by_next();
    for (auto& value : d.memory) value = by_next();
    for (auto& value : d.peephole) value = by_next();
  }
}

}  // namespace detail
}  // namespace strata::inline STRATA_TARGET
