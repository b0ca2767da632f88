#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/sizes.hpp>
#include <strata/model/beam_search.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void BeamSearch::check(Index classes) const {
  const auto fail = [](const char* what, auto found) {
    detail::fail<ValueError>({"BeamSearch: ", what, ", found ", found});
  };
  detail::sizes::check("BeamSearch", "width", width);
  detail::sizes::check("BeamSearch", "steps", steps);
  if (end < -1 || end >= classes) fail("end must be a class, or -1", end);
  if (detail::is_nan(length_penalty) || length_penalty < 0)
    fail("length_penalty must be at least 0", length_penalty);
}

STRATA_INLINE double BeamSearch::penalty(Index length) const {
  return std::pow((5 + static_cast<double>(length)) / 6, length_penalty);
}

STRATA_INLINE void BeamSearch::keep_best(std::vector<Beam>& found) const {
  std::stable_sort(found.begin(), found.end(),
                   [](const Beam& a, const Beam& b) { return a.score > b.score; });
  if (static_cast<Index>(found.size()) > width) found.resize(static_cast<std::size_t>(width));
}

}  // namespace strata::inline STRATA_RUNTIME
