#pragma once

#include <strata/precision.hpp>

namespace strata {

/// How a layer is asked to run step by step, or how it does run: the precision of its weights, and
/// whether all numbers that it is given, or that it gives, lie between -1 and 1.
struct Execution {
  Precision precision = Precision::full;
  bool bounded = false;
};

/// The execution of a cell whose recurrent kernel reads numbers that may be larger than 1, for
/// which there is no int16, from that of the same cell without such numbers.
[[nodiscard]] constexpr Execution without_bound(const Execution& bounded) noexcept {
  return {.precision = bounded.precision == Precision::int16 ? Precision::full : bounded.precision};
}

}  // namespace strata
