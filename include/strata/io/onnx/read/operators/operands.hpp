#pragma once

#include <cstddef>
#include <vector>

#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Conversions of operands for the operators that become no layer.

namespace strata::inline STRATA_RUNTIME::io {

inline constexpr std::size_t onnx_most_axes = 8;

/// The sizes of the first operand, a constant or a tensor with one number in all places.
[[nodiscard]] inline std::vector<OnnxSize> sizes_of(OnnxCall& call) {
  if (const auto* filled = call.find<OnnxFilled>(0)) return filled->shape;
  std::vector<OnnxSize> sizes;
  if (const auto* integers = call.find<OnnxIntegers>(0)) {
    if (!integers->scalar) sizes.push_back({static_cast<Index>(integers->values.size())});
    return sizes;
  }
  if (const auto* table = call.find<OnnxTable>(0)) {
    return {{static_cast<Index>(table->rows())}, {static_cast<Index>(table->columns)}};
  }
  for (const Index size : call.numbers(0).shape) sizes.push_back({size});
  return sizes;
}

/// The number of axes of the first operand, of whichever kind.
[[nodiscard]] inline std::size_t rank_of(OnnxCall& call) {
  if (const auto* data = call.find<OnnxData>(0)) return data->axes.size();
  if (const auto* states = call.find<OnnxStates>(0)) return states->layers[0].axes.size();
  if (const auto* states = call.find<OnnxInitialStates>(0)) return states->axes.size();
  if (const auto* integers = call.find<OnnxIntegers>(0)) return integers->scalar ? 0 : 1;
  if (call.find<OnnxTable>(0)) return 2;
  return sizes_of(call).size();
}

/// Operand i as a shape. Throws FormatError where the shape has more than onnx_most_axes axes.
[[nodiscard]] inline const std::vector<OnnxSize>& shape_of(OnnxCall& call, std::size_t i) {
  const auto& sizes = call.sizes(i).values;
  if (sizes.size() > onnx_most_axes) call.where(i).refuse("has too many axes");
  return sizes;
}

}  // namespace strata::inline STRATA_RUNTIME::io
