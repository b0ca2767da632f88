#pragma once

#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

[[nodiscard]] inline OnnxDimension read_onnx_dimension(ProtoReader message) {
  OnnxDimension dimension;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        dimension.size = message.integer();
        // Some exporters write 0 or -1 for a size that is left open.
        if (dimension.size < 1) dimension.size = Dynamic;
        break;
      case 2:
        dimension.name = message.text();
        break;
      case 3:
        break;
      default:
        message.refuse_field();
    }
  }
  return dimension;
}

/// Reads an input or output of the graph. A value that is no tensor gets no type.
[[nodiscard]] inline OnnxValueInfo read_onnx_value_info(ProtoReader message) {
  OnnxValueInfo value;
  const auto read_shape = [&](ProtoReader shape) {
    value.shape.emplace();
    while (shape.next()) {
      if (shape.field() != 1) shape.refuse_field();
      value.shape->push_back(read_onnx_dimension(shape.message("dim")));
    }
  };
  const auto read_tensor_type = [&](ProtoReader type) {
    while (type.next()) {
      if (type.field() == 1) {
        value.type = type.integer();
      } else if (type.field() == 2) {
        read_shape(type.message("shape"));
      } else {
        type.refuse_field();
      }
    }
  };
  while (message.next()) {
    if (message.field() == 1) {
      value.name = message.text();
    } else if (message.field() == 2) {
      ProtoReader type = message.message("type");
      while (type.next()) {
        if (type.field() == 1) read_tensor_type(type.message("tensor_type"));
      }
    } else if (message.field() != 3 && message.field() != 4) {
      message.refuse_field();
    }
  }
  return value;
}

}  // namespace strata::inline STRATA_RUNTIME::io
