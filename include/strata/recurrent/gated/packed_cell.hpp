#pragma once

#include <algorithm>
#include <type_traits>

#include <strata/contracts/weight_order.hpp>
#include <strata/recurrent/gated/packed.hpp>
#include <strata/recurrent/gated/reduced_step.hpp>
#include <strata/recurrent/gated/reduced_weights.hpp>
#include <strata/recurrent/gated/step_kernel.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Calls f(equations) where the gates choose their equations at run time, f(gates) otherwise.
template <class Gates, class F>
STRATA_ALWAYS_INLINE void with_equations(const Gates& gates, F f) {
  if constexpr (Gates::layout.chooses_equations) {
    gates.with_equations(f);
  } else {
    f(gates);
  }
}

/// The weights of a gated cell in the order of its kernels, with the gates, which may have
/// settings: all that a step needs. Inputs and Units are Dynamic or the cell's fixed sizes.
template <class Gates, class Scalar, Index Inputs, Index Units>
struct PackedGatedCell {
  /// Whether there are weights of fewer bits.
  static constexpr bool can_reduce = std::is_same_v<Scalar, float>;

  GatePacked<Scalar, Gates> weights;
  /// Empty unless reduce() has filled them.
  ReducedWeights<Scalar, Gates> reduced;
  Gates gates;

  void step(const Scalar* x, Scalar* h, Scalar* memory, Scalar* y,
            WeightOrder order) const noexcept {
    with_equations(gates, [&](const auto& equations) STRATA_INLINE_LAMBDA {
      using Equations = std::remove_cvref_t<decltype(equations)>;
      const StepOutput<Scalar> to_y{y};
      if constexpr (can_reduce) {
        if (!reduced.is_empty()) {
          gates_reduced_step(equations, weights, reduced, x, h, memory, order, to_y);
          std::copy_n(y, weights.units, h);
          return;
        }
      }
      if constexpr (comes_at_once<Equations, Inputs, Units, Scalar, Gates>()) {
        // The next step waits for h, so h is stored from the registers and not copied from y.
        const auto to_both = [=](Index first, Index used, const auto& values) STRATA_INLINE_LAMBDA {
          to_y(first, used, values);
          store_lanes(values, h + first, used);
        };
        gates_step<Inputs, Units>(equations, weights, x, h, memory, order, to_both);
      } else {
        gates_step<Inputs, Units>(equations, weights, x, h, memory, order, to_y);
        std::copy_n(y, Units == Dynamic ? weights.units : Units, h);
      }
    });
  }

  /// The same step, but it leaves h as it was and passes the new h to emit(first, used, values),
  /// a register at a time, as to StepOutput.
  template <class Emit>
  void step(const Scalar* x, const Scalar* h, Scalar* memory, WeightOrder order,
            Emit emit) const noexcept {
    with_equations(gates, [&](const auto& equations) STRATA_INLINE_LAMBDA {
      if constexpr (can_reduce) {
        if (!reduced.is_empty()) {
          return gates_reduced_step(equations, weights, reduced, x, h, memory, order, emit);
        }
      }
      gates_step<Inputs, Units>(equations, weights, x, h, memory, order, emit);
    });
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
