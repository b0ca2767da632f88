#pragma once

#include <cstddef>
#include <string>

#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/type_names.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/layers/input.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The input of a graph. The file does not say what the axes mean, so that the reader tries both
/// orders of batch and steps.
class OnnxGraphInput {
 public:
  /// Reads the input as (T, B, F) where `steps_first`, else as (B, T, F); with two axes as (B, F);
  /// whole numbers as (T, B) or (B, T). Throws FormatError on inputs of other shapes or types.
  [[nodiscard]] static OnnxGraphInput read(const OnnxValueInfo& input, bool steps_first,
                                           const Where& where) {
    if (!input.shape || input.shape->size() < 2 || input.shape->size() > 3) {
      where.expected("the shape (B, T, F), or (B, F), or (B, T) of whole numbers",
                     input.shape ? std::to_string(input.shape->size()) + " axes" : "none");
    }
    const auto element = onnx_element_of(input.type);
    OnnxGraphInput result;
    OnnxData& data = result.data_;
    data.ids = element == Element::int64 || element == Element::int32;
    if (!element || (!data.ids && !is_floating(*element)) ||
        (data.ids && input.shape->size() == 3)) {
      where.in("elem_type")
          .expected("a floating-point type, or INT32 or INT64 for (B, T)",
                    onnx_type_text(input.type));
    }
    constexpr Index most = Index{1} << 40;
    std::size_t i = 0;
    for (const OnnxDimension& dimension : *input.shape) {
      const bool last = i + 1 == input.shape->size() && !data.ids;
      const OnnxRun run = last                       ? OnnxRun::features
                          : (i == 0) == !steps_first ? OnnxRun::batch
                                                     : OnnxRun::steps;
      if (dimension.size > most) where.expected("smaller sizes", std::to_string(dimension.size));
      if (last && dimension.size == Dynamic) where.refuse("does not say how many features it has");
      OnnxSize size{dimension.size, 0, 0};
      if (dimension.size == Dynamic) size = run == OnnxRun::batch ? onnx_any_batch : onnx_any_steps;
      data.axes.push_back({{run, size}});
      if (run == OnnxRun::steps) result.steps_ = dimension.size;
      if (last) result.features_ = dimension.size;
      ++i;
    }
    // With two axes, (B, F), there are no steps that could come first.
    if (data.axes.size() == 2 && !data.ids) data.axes[0][0].run = OnnxRun::batch;
    return result;
  }

  /// An input that holds initial states. Throws FormatError where it has no two or three sizes.
  [[nodiscard]] static OnnxInitialStates states(const OnnxValueInfo& input, const Where& where) {
    const auto element = onnx_element_of(input.type);
    if (!element || !is_floating(*element)) {
      where.in("elem_type").expected("a floating-point type", onnx_type_text(input.type));
    }
    if (!input.shape || input.shape->size() < 2 || input.shape->size() > 4) {
      where.expected("states of the shape (layers, B, U)",
                     input.shape ? std::to_string(input.shape->size()) + " axes" : "no shape");
    }
    OnnxInitialStates states;
    states.input = input.name;
    for (const OnnxDimension& dimension : *input.shape) {
      states.axes.push_back(states.sizes.size());
      states.sizes.push_back(dimension.size == Dynamic ? onnx_any_batch
                                                       : OnnxSize{dimension.size, 0, 0});
    }
    return states;
  }

  /// The input as a tensor of the graph.
  [[nodiscard]] const OnnxData& data() const noexcept { return data_; }

  /// The input of the model. `ids`: whether its first layer is an Embedding.
  [[nodiscard]] Input described(bool ids) const {
    const bool two_axes = data_.axes.size() == 2;
    if (ids) return Input(two_axes && features_ != Dynamic ? features_ : steps_);
    return two_axes ? Input(features_) : Input(steps_, features_);
  }

 private:
  OnnxGraphInput() = default;

  OnnxData data_;
  Index steps_ = Dynamic;
  Index features_ = Dynamic;
};

}  // namespace strata::inline STRATA_RUNTIME::io
