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

// One weight that is infinite or not a number spoils every prediction. Such weights come from a
// training that went wrong; set_weights and the readers of files refuse them.

namespace strata::detail::inline STRATA_RUNTIME {

/// Kind and place of the first number of a parameter that is not finite, such as "nan at (0, 3)";
/// empty where all numbers are finite.
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

/// `all` holds the new numbers of the parameters, one parameter after the other. Throws ValueError,
/// naming parameter and place, on the first that is not finite. Where `all` is too short, only the
/// parameters that it fills are looked at: set_weights reports the wrong length itself.
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

}  // namespace strata::detail::inline STRATA_RUNTIME
