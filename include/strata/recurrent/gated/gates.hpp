#pragma once

#include <algorithm>
#include <array>

#include <strata/kernels/dual.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Cells whose equations go unit by unit: one product with x and one with h, then arithmetic on the
// gates of a unit. `Gates` are that arithmetic, and all that tells such cells apart.

namespace strata::inline STRATA_TARGET {

/// What the gates of one unit read: a V is a register of units, or a number that carries its
/// derivatives.
template <class V, int Slots, int Memories, int Peepholes>
struct GateStep {
  /// Pre-activations, W x + U h + b for each gate. Gates with a backward of their own may leave
  /// what it needs here.
  std::array<V, Slots> z;
  /// The output before the step.
  V h;
  /// The unit's other memories: before the step, and replaced by those after it.
  std::array<V, Memories> memory;
  /// Weights of the unit itself.
  std::array<V, Peepholes> peephole;
};

namespace detail {

/// The sizes of `Gates`; what they leave out is 0, or follows from the number of gates.
template <class Gates>
struct GateTraits {
  static constexpr int gates = Gates::gates;
  /// Pre-activations of a unit. More than gates where the products with x and with h stay apart.
  static constexpr int slots = [] {
    if constexpr (requires { Gates::slots; })
      return Gates::slots;
    else
      return Gates::gates;
  }();
  static constexpr int memories = [] {
    if constexpr (requires { Gates::memories; })
      return Gates::memories;
    else
      return 0;
  }();
  static constexpr int peepholes = [] {
    if constexpr (requires { Gates::peephole_names; })
      return static_cast<int>(Gates::peephole_names.size());
    else
      return 0;
  }();
  /// Whether the gates read `h` itself.
  static constexpr bool reads_h = [] {
    if constexpr (requires { Gates::reads_h; })
      return Gates::reads_h;
    else
      return true;
  }();
  /// Biases of a gate: one, or one of each product.
  static constexpr int biases = [] {
    if constexpr (requires { Gates::biases; })
      return Gates::biases;
    else
      return 1;
  }();

  /// The gate whose kernel, or recurrent kernel, goes to a slot; -1 for none.
  static constexpr int kernel_gate(int slot) {
    if constexpr (requires { Gates::kernel_gates; })
      return Gates::kernel_gates[std::size_t(slot)];
    else
      return slot;
  }
  static constexpr int recurrent_gate(int slot) {
    if constexpr (requires { Gates::recurrent_gates; })
      return Gates::recurrent_gates[std::size_t(slot)];
    else
      return slot;
  }

  template <class V>
  using Step = GateStep<V, slots, memories, peepholes>;
};

/// Runs one step back: `equations` are what was run, `at` what it left. `d.memory` are the
/// derivatives by the memories after the step, `dh` by the output; `d` becomes the derivatives by
/// all that the step read.
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
