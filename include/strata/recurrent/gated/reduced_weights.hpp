#pragma once

#include <strata/precision.hpp>
#include <strata/recurrent/gated/half_weights.hpp>
#include <strata/recurrent/gated/int16_weights.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The weights of a gated cell in a precision below that of its numbers. Only float has one.
template <class Scalar, class Gates>
struct ReducedWeights {
  [[nodiscard]] bool is_empty() const noexcept { return true; }
  void clear() noexcept {}
};

/// One of the two has the weights, or neither.
template <class Gates>
struct ReducedWeights<float, Gates> {
  Int16Weights<Gates> int16;
  HalfWeights<Gates> half;

  [[nodiscard]] bool is_empty() const noexcept { return int16.is_empty() && half.is_empty(); }
  void clear() noexcept {
    int16.clear();
    half.clear();
  }
  /// `bounded_x`: whether no input is larger than 1.
  void pack(const GatePacked<float, Gates>& from, Precision precision, bool bounded_x) {
    clear();
    if (precision == Precision::int16) int16.pack(from, bounded_x);
    if (precision == Precision::half) half.pack(from);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET
