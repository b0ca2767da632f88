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

STRATA_INLINE Beam BeamSearch::beam_after(Beam beam, const Step& step) const {
  beam.classes.push_back(step.id);
  beam.log_probability = step.log_probability;
  beam.score = step.log_probability / penalty(static_cast<Index>(beam.classes.size()));
  return beam;
}

STRATA_INLINE auto BeamSearch::likeliest(const std::vector<Beginning>& open) const
    -> std::vector<Step> {
  std::vector<Step> all;
  for (std::size_t from = 0; from < open.size(); ++from) {
    for (std::size_t id = 0; id < open[from].next.size(); ++id) {
      if (detail::is_infinite(open[from].next[id])) continue;
      all.push_back(
          {open[from].beam.log_probability + open[from].next[id], from, static_cast<Index>(id)});
    }
  }
  const auto needed = (std::min)(all.size(), static_cast<std::size_t>(width) + open.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<Index>(needed), all.end(),
                    [](const Step& a, const Step& b) {
                      if (a.log_probability != b.log_probability) {
                        return a.log_probability > b.log_probability;
                      }
                      return a.from != b.from ? a.from < b.from : a.id < b.id;
                    });
  all.resize(needed);
  return all;
}

STRATA_INLINE bool BeamSearch::is_settled(std::vector<Beam>& found,
                                          const std::vector<Beginning>& open) const {
  if (open.empty()) return true;
  if (static_cast<Index>(found.size()) < width) return false;
  keep_best(found);
  return found.back().score >= open.front().beam.log_probability / penalty(steps);
}

STRATA_INLINE void BeamSearch::keep_best(std::vector<Beam>& found) const {
  const auto is_better = [](const Beam& a, const Beam& b) { return a.score > b.score; };
  // An insertion sort, since few sequences are added to sorted ones; equal scores keep their order.
  for (auto next = found.begin(); next != found.end(); ++next) {
    std::rotate(std::upper_bound(found.begin(), next, *next, is_better), next, next + 1);
  }
  if (static_cast<Index>(found.size()) > width) found.resize(static_cast<std::size_t>(width));
}

}  // namespace strata::inline STRATA_RUNTIME
