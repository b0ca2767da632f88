#pragma once

#include <string>

#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/io/onnx/graph/type_names.hpp>
#include <strata/io/onnx/read/parse_node.hpp>
#include <strata/io/onnx/read/parse_tensor.hpp>
#include <strata/io/onnx/read/parse_value_info.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads a graph: its nodes, initializers, inputs and outputs.
[[nodiscard]] inline OnnxGraph read_onnx_graph(ProtoReader message) {
  OnnxGraph graph;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        graph.nodes.push_back(
            read_onnx_node(message.message("node " + std::to_string(graph.nodes.size()))));
        break;
      case 2:
        graph.name = message.text();
        break;
      case 5:
        graph.initializers.push_back(OnnxTensorReader::read(message.message("initializer")));
        break;
      case 11:
        graph.inputs.push_back(read_onnx_value_info(message.message("input")));
        break;
      case 12:
        graph.outputs.push_back(read_onnx_value_info(message.message("output")));
        break;
      case 10:
      case 13:
      case 16:
        break;
      case 14:
        message.refuse(onnx_is_quantized);
      case 15:
        message.refuse("sparse initializers are not read");
      default:
        message.refuse_field();
    }
  }
  return graph;
}

}  // namespace strata::inline STRATA_RUNTIME::io
