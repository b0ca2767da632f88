#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Appends the numbers of nested lists. Throws FormatError unless their lengths are the sizes of
/// `to.shape` from `axis` on.
inline void append_numbers(const Json& json, std::size_t axis, Numbers& to, const Where& where) {
  if (axis == to.shape.size()) {
    to.values.push_back(read_number(json, where));
    return;
  }
  const auto size = static_cast<std::size_t>(to.shape[axis]);
  if (!json.is_array() || json.size() != size) {
    where.expected("a list of " + std::to_string(size) + ", as the first is", found_text(json));
  }
  for (const Json& one : json) append_numbers(one, axis + 1, to, where);
}

/// The numbers of nested lists, as NumPy's tolist() makes them of an array. A number outside a list
/// has rank 0. Throws FormatError on lists of one axis that differ in length, and on values that
/// are not numbers.
[[nodiscard]] inline Numbers numbers_of(const Json& json, const Where& where) {
  Numbers numbers;
  for (const Json* first = &json; first->is_array(); first = &first->front()) {
    numbers.shape.push_back(static_cast<Index>(first->size()));
    if (first->empty()) break;
  }
  append_numbers(json, 0, numbers, where);
  return numbers;
}

}  // namespace strata::inline STRATA_RUNTIME::io
