#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <strata/shape.hpp>

namespace strata {

/// The least number of insertions, deletions and replacements of labels that make one sequence of
/// the other (Levenshtein 1966).
[[nodiscard]] inline Index edit_distance(std::span<const Index> a, std::span<const Index> b) {
  // row[k]: the distance between the part of `a` that has been read and the first k labels of `b`.
  std::vector<Index> row(b.size() + 1);
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<Index>(k);
  for (const Index label : a) {
    Index diagonal = row[0]++;
    for (std::size_t k = 0; k < b.size(); ++k) {
      const Index replaced = diagonal + (label == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = (std::min)({replaced, row[k] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace strata
