#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/normalization.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The settings of players of amplifiers beside the layers. As in the players, a value that is no
/// number is none.
struct PlayerSettings {
  /// Whether the input is added to the output.
  bool skip = false;
  /// By which the input and the output are multiplied; in the file in decibels.
  double input_gain = 1;
  double output_gain = 1;
};

[[nodiscard]] inline PlayerSettings player_settings(ObjectReader& reader, const Where& where) {
  const auto number = [&](const char* key) {
    const Json* value = reader.find(key);
    return value && value->is_number() ? read_number(*value, where.in(key)) : 0;
  };
  const auto gain = [&](const char* key) {
    constexpr double most = 200;
    const double decibels = number(key);
    if (!(std::abs(decibels) <= most)) {
      where.in(key).expected("a gain from -200 to 200 dB", found_text(*reader.find(key)));
    }
    return std::pow(10, decibels / 20);
  };
  const double skip = number("in_skip");
  if (skip != 0 && skip != 1) {
    where.in("in_skip").expected("0 or 1", found_text(*reader.find("in_skip")));
  }
  return {skip == 1, gain("in_gain"), gain("out_gain")};
}

/// A layer that multiplies `features` numbers by a gain: Normalization with the variance 1 /
/// gain^2.
template <class Scalar>
[[nodiscard]] AnyLayer<Scalar> gain_layer(double gain, Index features) {
  const auto count = static_cast<std::size_t>(features);
  return AnyLayer<Scalar>(Normalization<Scalar>(
      NormalizationOptions{.mean = std::vector<double>(count, 0.0),
                           .variance = std::vector<double>(count, 1 / (gain * gain))}));
}

}  // namespace strata::inline STRATA_RUNTIME::io
