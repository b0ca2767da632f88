#pragma once

#include <string_view>

namespace strata {

/// How a stream or a prediction keeps the weights that it reads in every step. The model's weights
/// stay what they are.
///
/// full: as the model's numbers. int16: recurrent weights as 16-bit integers with a scale for each
/// unit of a gate, the outputs they multiply as multiples of 1/16383, and exact sums; half the
/// bytes of float.
enum class Precision { full, int16 };

[[nodiscard]] constexpr std::string_view name(Precision precision) noexcept {
  return precision == Precision::int16 ? "int16" : "full";
}

}  // namespace strata
