#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/protobuf.hpp>
#include <strata/io/onnx/read/parse_tensor.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads an attribute of a node. The message has a field for each type of value; the field "type"
/// says which of them holds the value.
[[nodiscard]] inline OnnxAttribute read_onnx_attribute(ProtoReader message) {
  OnnxAttribute attribute;
  Index type = 0;
  float number = 0;
  Index integer = 0;
  std::string text;
  std::optional<OnnxTensor> tensor;
  std::vector<float> numbers;
  std::vector<Index> integers;
  std::vector<std::string> texts;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        attribute.name = message.text();
        break;
      case 2:
        number = message.number();
        break;
      case 3:
        integer = message.integer();
        break;
      case 4:
        text = message.text();
        break;
      case 5:
        tensor = OnnxTensorReader::read(message.message("tensor"));
        break;
      case 7:
        message.append_numbers(numbers);
        break;
      case 8:
        message.append_integers(integers);
        break;
      case 9:
        texts.push_back(message.text());
        break;
      case 6:
      case 13:
        break;
      case 20:
        type = message.integer();
        break;
      default:
        message.refuse_field();
    }
  }
  const Where where = message.where().in(in_quotes(attribute.name));
  switch (static_cast<OnnxAttributeType>(type)) {
    case OnnxAttributeType::number:
      attribute.value = number;
      break;
    case OnnxAttributeType::integer:
      attribute.value = integer;
      break;
    case OnnxAttributeType::text:
      attribute.value = std::move(text);
      break;
    case OnnxAttributeType::tensor:
      if (!tensor) where.refuse("has no tensor");
      attribute.value = std::move(*tensor);
      break;
    case OnnxAttributeType::graph:
      attribute.value = OnnxSubgraph();
      break;
    case OnnxAttributeType::numbers:
      attribute.value = std::move(numbers);
      break;
    case OnnxAttributeType::integers:
      attribute.value = std::move(integers);
      break;
    case OnnxAttributeType::texts:
      attribute.value = std::move(texts);
      break;
    default:
      where.in("type").expected("1 to 8", std::to_string(type));
  }
  return attribute;
}

}  // namespace strata::inline STRATA_RUNTIME::io
