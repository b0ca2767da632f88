#pragma once

#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/io/onnx/read/parse_attribute.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads a node: its operator, the names of its inputs and outputs, and its attributes.
[[nodiscard]] inline OnnxNode read_onnx_node(ProtoReader message) {
  OnnxNode node;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        node.inputs.push_back(message.text());
        break;
      case 2:
        node.outputs.push_back(message.text());
        break;
      case 3:
        node.name = message.text();
        break;
      case 4:
        node.op = message.text();
        break;
      case 5:
        node.attributes.push_back(read_onnx_attribute(message.message("attribute")));
        break;
      case 7:
        node.domain = message.text();
        break;
      case 6:
      case 9:
        break;
      case 8:
        if (!message.text().empty()) message.refuse("an overloaded function, which is not read");
        break;
      default:
        message.refuse_field();
    }
  }
  return node;
}

}  // namespace strata::inline STRATA_RUNTIME::io
