#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/named_axes.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Checks and conversions of operands for the operators that become layers.

namespace strata::inline STRATA_RUNTIME::io {

/// Operand i, settled, with the features alone as its last axis. Where the last axis joins steps
/// and features, a Flatten is appended to the chain. Throws FormatError on other axes.
[[nodiscard]] inline OnnxData with_features(OnnxReading& reading, OnnxCall& call, std::size_t i) {
  OnnxData x = reading.chain.settled(call.data(i), call.where(i));
  if (x.axes.size() == 2 && is_only(x.axes[0], OnnxRun::batch) && x.axes[1].size() == 2 &&
      x.axes[1][0].run == OnnxRun::steps && x.axes[1][1].run == OnnxRun::features) {
    if (x.reversed) call.where(i).refuse("has the steps from the last to the first");
    const OnnxSize size = x.size(1, call.where());
    if (!size.is_number()) call.where(i).refuse("has a number of features that is not known");
    x.axes[1] = {{OnnxRun::features, size}};
    x = reading.chain.append(LayerDescription{"Flatten"}, {}, std::move(x), call.where());
  }
  const std::size_t last = x.axes.size() - 1;
  if (x.axes.size() >= 2) x = with_features_at(reading, std::move(x), last);
  if (x.axes.size() < 2 || !is_only(x.axes.back(), OnnxRun::features)) {
    call.where(i).expected("features as the last axis", axes_text(x.axes));
  }
  return x;
}

/// A vector (U) from constants (U), (1, ..., U), or one number for all units.
[[nodiscard]] inline Numbers vector_of(const Numbers& numbers, Index units, const Where& where) {
  if (numbers.values.size() == 1 && units > 1) {
    return {{units}, std::vector<double>(static_cast<std::size_t>(units), numbers.values[0])};
  }
  if (numbers.back() != units) where.expected(sizes_text({units}), sizes_text(numbers.shape));
  return reshaped(numbers, {units}, where);
}

/// The number of features of a tensor; 1 where it has no axis of features.
[[nodiscard]] inline Index features_in(const OnnxData& x) {
  for (const auto& axis : x.axes) {
    if (is_only(axis, OnnxRun::features)) return axis[0].size.number;
  }
  return 1;
}

/// Constants, operand i beside the tensor x, as one number, or one for each feature. Throws
/// FormatError where they differ along another axis than that of the features.
[[nodiscard]] inline std::vector<double> features_of(OnnxCall& call, std::size_t i,
                                                     const Numbers& numbers, const OnnxData& x) {
  if (numbers.values.empty()) call.where(i).refuse("has no numbers");
  for (std::size_t k = 0; k < numbers.shape.size(); ++k) {
    const Index size = numbers.shape[numbers.shape.size() - 1 - k];
    const auto& axis = x.axes[x.axes.size() - 1 - k];
    const bool fits = size == 1 || (is_only(axis, OnnxRun::features) && axis[0].size.is(size));
    if (!fits) {
      call.where(i).expected("one number, or one for each feature of the axes " + axes_text(x.axes),
                             sizes_text(numbers.shape));
    }
  }
  return numbers.values;
}

/// Throws FormatError where constants have more axes than a tensor: the result of the operator
/// would have more axes too.
inline void require_rank(const Numbers& numbers, const OnnxData& data, const Where& where) {
  if (numbers.shape.size() > data.axes.size()) {
    where.expected("at most " + std::to_string(data.axes.size()) + " axes",
                   sizes_text(numbers.shape));
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
