#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

// Weights that are infinite or not a number make every prediction such a number. They come from a
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

/// Throws ValueError, naming the first number that is not finite of those that the parameters are
/// to get. Returns where there is none, or where a parameter would get too few.
template <class Scalar>
void fail_where_not_finite(std::vector<Parameter<const Scalar>> parameters,
                           std::span<const Scalar> all) {
  for (auto& parameter : parameters) {
    const std::size_t count = parameter.values.size();
    if (all.size() < count) return;
    parameter.values = all.first(count);
    all = all.subspan(count);
    const std::string found = first_non_finite(parameter);
    if (found.empty()) continue;
    fail<ValueError>({"set_weights: ", parameter.name, ": expected finite numbers, found ", found,
                      "; where it is meant, call set_weights(weights, strata::allow_non_finite)"});
  }
}

}  // namespace detail

}  // namespace strata::inline STRATA_TARGET
