#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

[[nodiscard]] inline ProtoWriter onnx_message(const OnnxTensor& tensor) {
  ProtoWriter message;
  message.integers(1, tensor.shape);
  message.integer(2, onnx_code_of(tensor.element));
  if (!tensor.name.empty()) message.text(8, tensor.name);
  message.bytes(9, tensor.bytes);
  return message;
}

[[nodiscard]] inline ProtoWriter onnx_message(const OnnxAttribute& attribute) {
  ProtoWriter message;
  message.text(1, attribute.name);
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::same_as<Value, float>) message.number(2, value);
        if constexpr (std::same_as<Value, Index>) message.integer(3, value);
        if constexpr (std::same_as<Value, std::string>) message.text(4, value);
        if constexpr (std::same_as<Value, OnnxTensor>) message.message(5, onnx_message(value));
        if constexpr (std::same_as<Value, std::vector<float>>) message.numbers(7, value);
        if constexpr (std::same_as<Value, std::vector<Index>>) message.integers(8, value);
        if constexpr (std::same_as<Value, std::vector<std::string>>) {
          for (const std::string& one : value) message.text(9, one);
        }
      },
      attribute.value);
  message.integer(20, static_cast<Index>(attribute.value.index()) + 1);
  return message;
}

[[nodiscard]] inline ProtoWriter onnx_message(const OnnxNode& node) {
  ProtoWriter message;
  for (const std::string& name : node.inputs) message.text(1, name);
  for (const std::string& name : node.outputs) message.text(2, name);
  message.text(3, node.name);
  message.text(4, node.op);
  for (const OnnxAttribute& attribute : node.attributes) {
    message.message(5, onnx_message(attribute));
  }
  return message;
}

[[nodiscard]] inline ProtoWriter onnx_message(const OnnxValueInfo& value) {
  ProtoWriter shape;
  for (const OnnxDimension& dimension : *value.shape) {
    ProtoWriter one;
    if (dimension.size == Dynamic) {
      one.text(2, dimension.name);
    } else {
      one.integer(1, dimension.size);
    }
    shape.message(1, one);
  }
  ProtoWriter tensor;
  tensor.integer(1, value.type);
  tensor.message(2, shape);
  ProtoWriter type;
  type.message(1, tensor);
  ProtoWriter message;
  message.text(1, value.name);
  message.message(2, type);
  return message;
}

/// The bytes of the ONNX file of a model.
[[nodiscard]] inline std::vector<std::byte> write_onnx_model(const OnnxModel& model) {
  ProtoWriter graph;
  for (const OnnxNode& node : model.graph.nodes) graph.message(1, onnx_message(node));
  graph.text(2, model.graph.name);
  for (const OnnxTensor& tensor : model.graph.initializers) graph.message(5, onnx_message(tensor));
  for (const OnnxValueInfo& input : model.graph.inputs) graph.message(11, onnx_message(input));
  for (const OnnxValueInfo& output : model.graph.outputs) graph.message(12, onnx_message(output));
  ProtoWriter opset;
  opset.text(1, "");
  opset.integer(2, model.opset);
  ProtoWriter message;
  message.integer(1, model.ir_version);
  message.message(8, opset);
  message.text(2, model.producer);
  message.text(3, model.producer_version);
  message.message(7, graph);
  return message.take();
}

}  // namespace strata::inline STRATA_RUNTIME::io
