#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/target.hpp>

// Weights in files as 16-bit integers: those of a column, which lead to one output, have a scale.

namespace strata::inline STRATA_RUNTIME::io {

/// An array (..., C) of integers, with the scale (C) of each of its columns: a weight is its
/// integer times the scale.
struct ScaledColumns {
  std::vector<std::int16_t> integers;
  std::vector<float> scales;
};

/// What the name of an array's scales has behind the name of the array.
inline constexpr const char* scale_suffix = ".scale";

/// Whether a parameter is kept in 16 bits where that is asked for: matrices, and not the few
/// numbers of a bias.
template <class Scalar>
[[nodiscard]] bool is_reducible(const Parameter<Scalar>& parameter) {
  return parameter.shape.rank() >= 2;
}

/// The finite weights of a parameter of two axes or more, each rounded to the nearest integer. The
/// largest of a column is 32767 or -32767.
template <class Scalar>
[[nodiscard]] ScaledColumns scaled_columns(const Parameter<Scalar>& parameter) {
  constexpr double largest_integer = 32767;
  const auto columns = static_cast<std::size_t>(parameter.shape.back());
  ScaledColumns result{std::vector<std::int16_t>(parameter.values.size()),
                       std::vector<float>(columns)};
  std::vector<double> largest(columns, 0);
  for (std::size_t i = 0; i < parameter.values.size(); ++i) {
    double& of_column = largest[i % columns];
    of_column = (std::max)(of_column, std::abs(static_cast<double>(parameter.values[i])));
  }
  for (std::size_t c = 0; c < columns; ++c) {
    result.scales[c] = static_cast<float>(largest[c] / largest_integer);
  }
  for (std::size_t i = 0; i < parameter.values.size(); ++i) {
    const double scale = result.scales[i % columns];
    const double integer = scale > 0 ? std::round(parameter.values[i] / scale) : 0;
    result.integers[i] =
        static_cast<std::int16_t>(std::clamp(integer, -largest_integer, largest_integer));
  }
  return result;
}

/// The weights of an array of int16 and its scales. Throws FormatError unless there is a scale for
/// each column.
[[nodiscard]] inline Numbers numbers_of(const ArrayView& integers, const ArrayView& scales,
                                        const Where& where, const Where& where_scales) {
  const Numbers scale = numbers_of(scales, where_scales);
  if (integers.shape.empty()) where.expected("an array with columns", sizes_text(integers.shape));
  check_shape(scale, {integers.shape.back()}, where_scales);
  Numbers weights{integers.shape, {}};
  weights.values.resize(integers.bytes.size() / size_of(integers.element));
  for (std::size_t i = 0; i < weights.values.size(); ++i) {
    const auto bits = read_word<std::uint16_t>(integers.bytes.data() + i * sizeof(std::uint16_t));
    weights.values[i] = static_cast<std::int16_t>(bits) * scale.values[i % scale.values.size()];
  }
  return weights;
}

}  // namespace strata::inline STRATA_RUNTIME::io
