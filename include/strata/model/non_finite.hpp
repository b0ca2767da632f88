#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/target.hpp>

// Weights that are infinite or not a number make every prediction such a number. They come of a
// training that went wrong, and are refused wherever weights come in.

namespace strata::inline STRATA_TARGET {

/// Says that weights may be infinite or not a number:
///
///   load({"model.safetensors", allow_non_finite}), model.set_weights(weights, allow_non_finite)
struct AllowNonFinite {
  explicit AllowNonFinite() = default;
};
inline constexpr AllowNonFinite allow_non_finite{};

namespace detail {

/// "nan at (0, 3)" of the first number of a parameter that is not finite; empty where all are.
template <class Scalar>
[[nodiscard]] std::string first_non_finite(const Parameter<Scalar>& parameter) {
  const std::span<const Scalar> values = parameter.values;
  if (all_finite(values)) return {};
  std::size_t at = 0;
  while (is_finite(values[at])) ++at;
  Shape place = parameter.shape;
  auto rest = static_cast<Index>(at);
  for (Index axis = place.rank(); axis-- > 0;) {
    const Index size = place[axis];
    place[axis] = rest % size;
    rest /= size;
  }
  const char* const kind = is_nan(values[at]) ? "nan" : std::signbit(values[at]) ? "-inf" : "inf";
  return message({kind, " at ", place});
}

}  // namespace detail

}  // namespace strata::inline STRATA_TARGET
