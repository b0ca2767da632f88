#pragma once

#include <string_view>

namespace strata {

/// How streams and predictions keep the weights that they read in every step. The model's weights
/// stay what they are. The two smaller ones take half the bytes of float.
///
/// full: as the model's numbers. half: weights as 16-bit floats (IEEE 754 binary16), products and
/// sums in float. int16: recurrent weights as 16-bit integers with a scale for each unit of a gate,
/// the outputs they multiply as multiples of 1/16383, and exact sums.
enum class Precision { full, half, int16 };

[[nodiscard]] constexpr std::string_view name(Precision precision) noexcept {
  switch (precision) {
    case Precision::half:
      return "half";
    case Precision::int16:
      return "int16";
    case Precision::full:
      break;
  }
  return "full";
}

}  // namespace strata
