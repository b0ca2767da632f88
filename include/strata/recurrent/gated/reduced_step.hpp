#pragma once

#include <cstdint>

#include <strata/language/compiler.hpp>
#include <strata/recurrent/gated/half_products.hpp>
#include <strata/recurrent/gated/int16_products.hpp>
#include <strata/recurrent/gated/reduced_weights.hpp>
#include <strata/recurrent/gated/step_kernel.hpp>
#include <strata/target.hpp>

// One step of one sequence with 16-bit weights: it reads half the bytes of the step in float, which
// is what a step of more than some 40 units waits for.

namespace strata::detail::inline STRATA_TARGET {

/// The panels that go through a step together: two at every size, whose loads fill the wait for the
/// caches; one with unusual activations, which exist for one register alone.
template <class Equations>
inline constexpr int reduced_together = has_standard_activations<Equations> ? 2 : 1;

template <class Gates, class Equations, class Emit>
STRATA_NEVER_INLINE void gates_int16_step(const Equations& equations,
                                          const GatePacked<float, Gates>& packed,
                                          const Int16Weights<Gates>& weights, const float* x,
                                          const float* h, float* memory, WeightOrder order,
                                          Emit emit) noexcept {
  auto* const values =
      STRATA_STACK_ARRAY(std::int16_t, weights.row_integers() + Pack<float>::width);
  const float unusual = weights.round_row(packed.inputs, x, packed.outputs, h, values);
  const Int16Products<Gates> products{weights, 0, values, unusual};
  step_panels<reduced_together<Equations>, Dynamic, Dynamic>(
      equations, packed, weights.x_pairs > 0 ? 0 : packed.inputs, 0, x, h, memory, order, emit,
      products);
}

template <class Gates, class Equations, class Emit>
STRATA_NEVER_INLINE void gates_half_step(const Equations& equations,
                                         const GatePacked<float, Gates>& packed,
                                         const HalfWeights<Gates>& weights, const float* x,
                                         const float* h, float* memory, WeightOrder order,
                                         Emit emit) noexcept {
  const HalfProducts<Gates> products{weights, packed.inputs, x, packed.outputs, h};
  step_panels<reduced_together<Equations>, Dynamic, Dynamic>(equations, packed, 0, 0, x, h, memory,
                                                             order, emit, products);
}

/// One step of one sequence, as gates_step.
template <class Gates, class Equations, class Emit>
void gates_reduced_step(const Equations& equations, const GatePacked<float, Gates>& packed,
                        const ReducedWeights<float, Gates>& weights, const float* x, const float* h,
                        float* memory, WeightOrder order, Emit emit) noexcept {
  if constexpr (has_standard_activations<Equations>) {
    if (!weights.int16.is_empty()) {
      return gates_int16_step(equations, packed, weights.int16, x, h, memory, order, emit);
    }
  }
  gates_half_step(equations, packed, weights.half, x, h, memory, order, emit);
}

template <class Gates, class Equations>
STRATA_NEVER_INLINE void gates_recurrent_int16_step(const Equations& equations,
                                                    const GatePacked<float, Gates>& packed,
                                                    const Int16Weights<Gates>& weights,
                                                    const ScanStep<float>& at, float* z) {
  auto* const values = STRATA_STACK_ARRAY(std::int16_t, 2 * weights.h_pairs + Pack<float>::width);
  const float unusual = to_int16(packed.outputs, at.h_before(0), values);
  const Int16Products<Gates> products{weights, weights.x_pairs, values, unusual};
  gates_recurrent_step_by<reduced_together<Equations>>(equations, packed, at, z, 0, products);
}

/// One step of a batch of one sequence, as gates_recurrent_step.
template <class Gates, class Equations>
void gates_recurrent_reduced_step(const Equations& equations,
                                  const GatePacked<float, Gates>& packed,
                                  const ReducedWeights<float, Gates>& weights,
                                  const ScanStep<float>& at, float* z) {
  // The first step from zeros has no products with h.
  if (!at.h_before) {
    return gates_recurrent_step_by<reduced_together<Equations>>(equations, packed, at, z, 0,
                                                                NoProducts());
  }
  if constexpr (has_standard_activations<Equations>) {
    if (!weights.int16.is_empty()) {
      return gates_recurrent_int16_step(equations, packed, weights.int16, at, z);
    }
  }
  const HalfProducts<Gates> products{weights.half, 0, nullptr, packed.outputs, at.h_before(0)};
  gates_recurrent_step_by<reduced_together<Equations>>(equations, packed, at, z, 0, products);
}

}  // namespace strata::detail::inline STRATA_TARGET
