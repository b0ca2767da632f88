#pragma once

#include <algorithm>
#include <array>

#include <strata/kernels/dual.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// A gated cell multiplies x by a kernel and h by a recurrent kernel, and computes the gates of each
// unit from the two products. A `Gates` class has the equations of one unit and its layout;
// everything else is the same for all gated cells.

namespace strata::inline STRATA_TARGET {

/// The numbers of one unit in one step. The equations read them and write their results in their
/// place. A V is a register with the numbers of several units, one number for each, or a Dual of
/// such registers where derivatives are taken.
template <class V, int Slots, int Memories, int Peepholes>
struct GateStep {
  /// Pre-activations, W x + U h + b for each gate. Equations that have a `backward` may replace
  /// them by the numbers that `backward` needs, such as the gates.
  std::array<V, Slots> z;
  /// The output before the step.
  V h;
  /// The unit's other memories before the step, which the equations replace by the memories after
  /// it.
  std::array<V, Memories> memory;
  /// The unit's peephole weights, which multiply numbers of this unit alone.
  std::array<V, Peepholes> peephole;
};

/// What a unit of a gated cell has. A `Gates` class states it as a constant:
///
///   static constexpr GateLayout layout{.gates = 4, .memories = 1, .reads_h = false};
struct GateLayout {
  /// The number G of gates, at least 1. For U units the kernel is (F, G U), the recurrent kernel
  /// (U, G U), the bias (G U).
  int gates = 0;
  /// Numbers that a unit keeps from step to step besides its output h; an LSTM has one, c.
  int memories = 0;
  /// Whether the equations read GateStep::h, besides the product U h. True by default, since a cell
  /// that reads h with `false` would compute wrong results, while a cell that does not read h is
  /// only slower with `true`.
  bool reads_h = true;
  /// 1: each gate has one bias. 2: each gate has a bias for its product with x and another bias for
  /// its product with h.
  int biases = 1;
  /// The number of gates, counted from the last, whose products with x and with h are two separate
  /// pre-activations: s.z[gate] has the product with x, and the products with h follow behind all
  /// gates. A GRU has one such gate, its candidate.
  int separate_gates = 0;
  /// The number of peephole weights of a unit. The gates name them in
  /// `static constexpr std::array peephole_names`.
  int peepholes = 0;
  /// Whether peepholes can be left out at run time. The gates then have a function
  /// `has_peepholes()`.
  bool optional_peepholes = false;
  /// Whether the gates choose among several equations at run time. The gates then have a function
  /// `with_equations(f)`, which calls f(equations). Otherwise the gates themselves are the
  /// equations.
  bool chooses_equations = false;
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail::inline STRATA_TARGET {

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
  /// The number of pre-activations of a unit: one for each gate, and a second one for each gate
  /// whose products with x and with h stay apart.
  static constexpr int slots = layout.gates + layout.separate_gates;
  static constexpr int memories = layout.memories;
  static constexpr int peepholes = layout.peepholes;
  static constexpr bool reads_h = layout.reads_h;
  static constexpr int biases = layout.biases;

  /// The gate whose product with x is added into a slot, -1 for none.
  static constexpr int kernel_gate(int slot) { return slot < gates ? slot : -1; }
  /// The gate whose product with h is added into a slot, -1 for none.
  static constexpr int recurrent_gate(int slot) {
    if (slot < gates - layout.separate_gates) return slot;
    return slot < gates ? -1 : slot - layout.separate_gates;
  }

  template <class V>
  using Step = GateStep<V, slots, memories, peepholes>;
};

/// Takes derivatives one step back. `at` has z as the equations left it, h and the memories as they
/// were before the step. `dh` is the derivative by the new h. `d.memory` has the derivatives by the
/// memories after the step. The function fills `d` with the derivatives by everything that the step
/// read.
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

}  // namespace strata::detail::inline STRATA_TARGET
