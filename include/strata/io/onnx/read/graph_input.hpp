#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/type_names.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/layers/input.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The input of a graph. The file does not say what the axes mean, so that the reader tries several
/// orders of them.
class OnnxGraphInput {
 public:
  /// Reads the input as (B, T, F), (T, B, F) or (B, F, T); with two axes as (B, F), or as (B, T) or
  /// (T, B) with one feature where the file leaves their number open; whole numbers as (B, T) or
  /// (T, B). Throws FormatError on inputs of other shapes or types.
  [[nodiscard]] static OnnxGraphInput read(const OnnxValueInfo& input, OnnxInputOrder order,
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
    const std::vector<OnnxDimension>& shape = *input.shape;
    const std::vector<OnnxRun> runs = runs_of(shape, data.ids, order);
    result.two_axes_ = shape.size() == 2;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const Index size = shape[i].size;
      if (size > sizes::largest) where.expected("smaller sizes", std::to_string(size));
      if (runs[i] == OnnxRun::features && size == Dynamic) {
        where.refuse("does not say how many features it has");
      }
      const OnnxSize any = runs[i] == OnnxRun::batch ? onnx_any_batch : onnx_any_steps;
      data.axes.push_back({{runs[i], size == Dynamic ? any : OnnxSize{size, 0, 0}}});
      if (runs[i] == OnnxRun::steps) result.steps_ = size;
      if (runs[i] == OnnxRun::features) result.features_ = size;
    }
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
    if (ids) return Input(two_axes_ && features_ != Dynamic ? features_ : steps_);
    if (!two_axes_) return Input(steps_, features_);
    return features_ == Dynamic ? Input(Dynamic, 1) : Input(features_);
  }

 private:
  OnnxGraphInput() = default;

  /// The meaning of each axis. The features are the axis whose size the file says, where there is
  /// one alone besides the first.
  [[nodiscard]] static std::vector<OnnxRun> runs_of(const std::vector<OnnxDimension>& shape,
                                                    bool ids, OnnxInputOrder order) {
    using enum OnnxRun;
    const bool last_is_open = shape.back().size == Dynamic;
    const bool steps_first = order == OnnxInputOrder::steps_batch_features;
    if (shape.size() == 2) {
      if (!ids && !last_is_open) return {batch, features};
      return steps_first ? std::vector{steps, batch} : std::vector{batch, steps};
    }
    if (steps_first) return {steps, batch, features};
    const bool features_before =
        order == OnnxInputOrder::batch_features_steps || (last_is_open && shape[1].size != Dynamic);
    return features_before ? std::vector{batch, features, steps}
                           : std::vector{batch, steps, features};
  }

  OnnxData data_;
  bool two_axes_ = false;
  Index steps_ = Dynamic;
  Index features_ = Dynamic;
};

}  // namespace strata::inline STRATA_RUNTIME::io
