#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/arrays.hpp>
#include <strata/io/onnx/model.hpp>
#include <strata/io/onnx/protobuf.hpp>
#include <strata/io/source.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

// The messages of an ONNX file. Fields that change nothing (documentation, metadata, the shapes of
// inner values) are named and passed over; all others are read or refused. Longer than other
// headers, because each message is the list of its fields.

namespace strata::inline STRATA_TARGET::io {

/// One tensor, whose numbers the file may write in three ways.
class OnnxTensorReader {
 public:
  [[nodiscard]] static OnnxTensor read(ProtoReader message) {
    OnnxTensorReader reader(message.where());
    reader.read_fields(message);
    return reader.finish();
  }

 private:
  explicit OnnxTensorReader(Where where) : where_(std::move(where)) {}

  void read_fields(ProtoReader& message) {
    while (message.next()) {
      switch (message.field()) {
        case 1:
          message.append_integers(tensor_.shape);
          break;
        case 2:
          type_ = message.integer();
          break;
        case 4:
          message.append_numbers(floats_);
          break;
        case 5:
        case 7:
          message.append_integers(integers_);
          break;
        case 8:
          tensor_.name = message.text();
          where_ = where_.in(in_quotes(tensor_.name));
          break;
        case 9:
          raw_ = message.bytes();
          break;
        case 10:
          message.append_numbers(doubles_);
          break;
        case 12:
        case 16:
          break;
        case 13:
          external_ = true;
          break;
        case 14:
          external_ = external_ || message.integer() != 0;
          break;
        default:
          message.refuse_field();
      }
    }
  }

  [[nodiscard]] OnnxTensor finish() {
    if (external_) {
      where_.refuse(
          "its numbers are in another file (external data), which is not read; save the model as "
          "one file");
    }
    const auto element = onnx_element_of(type_);
    if (!element) {
      where_.in("data_type")
          .expected(
              "FLOAT (1), INT32 (6), INT64 (7), BOOL (9), FLOAT16 (10), DOUBLE (11) or BFLOAT16 "
              "(16)",
              std::to_string(type_));
    }
    tensor_.element = *element;
    const std::size_t count = checked_count(tensor_.shape, where_);
    if (!raw_.empty()) {
      require_alone(floats_.size() + doubles_.size() + integers_.size());
      tensor_.bytes.assign(raw_.begin(), raw_.end());
    } else if (*element == Element::float32) {
      require_alone(doubles_.size() + integers_.size());
      put(floats_);
    } else if (*element == Element::float64) {
      require_alone(floats_.size() + integers_.size());
      put(doubles_);
    } else {
      require_alone(floats_.size() + doubles_.size());
      put_words();
    }
    if (tensor_.bytes.size() != count * size_of(*element)) {
      where_.expected(std::to_string(count * size_of(*element)) + " bytes for the sizes " +
                          sizes_text(tensor_.shape) + " of " + std::string(io::name(*element)),
                      std::to_string(tensor_.bytes.size()));
    }
    return std::move(tensor_);
  }

  void require_alone(std::size_t others) const {
    if (others > 0) where_.refuse("its numbers are written in more than one way");
  }

  template <class Scalar>
  void put(const std::vector<Scalar>& values) {
    tensor_.bytes.resize(values.size() * sizeof(Scalar));
    for (std::size_t i = 0; i < values.size(); ++i) {
      write_scalar(values[i], tensor_.bytes.data() + i * sizeof(Scalar));
    }
  }

  /// Integers, and halves, which are written as their bits.
  void put_words() {
    const std::size_t size = size_of(tensor_.element);
    tensor_.bytes.resize(integers_.size() * size);
    for (std::size_t i = 0; i < integers_.size(); ++i) {
      const auto word = static_cast<std::uint64_t>(integers_[i]);
      for (std::size_t k = 0; k < size; ++k) {
        tensor_.bytes[i * size + k] = static_cast<std::byte>(word >> (8 * k));
      }
    }
  }

  Where where_;
  OnnxTensor tensor_;
  Index type_ = 0;
  bool external_ = false;
  std::span<const std::byte> raw_;
  std::vector<float> floats_;
  std::vector<double> doubles_;
  std::vector<Index> integers_;
};

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

[[nodiscard]] inline OnnxDimension read_onnx_dimension(ProtoReader message) {
  OnnxDimension dimension;
  while (message.next()) {
    switch (message.field()) {
      case 1:
        dimension.size = message.integer();
        // Some exporters write 0 or -1 for any size.
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
        message.refuse("quantized models are not read");
      case 15:
        message.refuse("sparse initializers are not read");
      default:
        message.refuse_field();
    }
  }
  return graph;
}

/// The version of an operator set, of which only ONNX' own is needed.
inline void read_onnx_opset(ProtoReader message, Index& opset) {
  std::string domain;
  Index version = 0;
  while (message.next()) {
    if (message.field() == 1) {
      domain = message.text();
    } else if (message.field() == 2) {
      version = message.integer();
    } else {
      message.refuse_field();
    }
  }
  if (!domain.empty() && domain != "ai.onnx") return;
  if (version < onnx_oldest_opset || version > onnx_newest_opset) {
    message.where().expected(
        "operators (opset) of a version from " + std::to_string(onnx_oldest_opset) + " to " +
            std::to_string(onnx_newest_opset) + ", which strata " + version_string + " reads",
        std::to_string(version));
  }
  opset = version;
}

/// Throws FormatError on files that are damaged, newer than what strata knows, or hold more than
/// one graph.
[[nodiscard]] inline OnnxModel read_onnx_model(const Source& from) {
  const Where where = from.where();
  OnnxModel model;
  bool has_graph = false;
  ProtoReader message(from.bytes(), where);
  while (message.next()) {
    switch (message.field()) {
      case 1:
        model.ir_version = message.integer();
        if (model.ir_version < 3 || model.ir_version > onnx_newest_ir_version) {
          where.in("ir_version")
              .expected("3 to " + std::to_string(onnx_newest_ir_version) + ", which strata " +
                            version_string + " reads",
                        std::to_string(model.ir_version));
        }
        break;
      case 2:
        model.producer = message.text();
        break;
      case 3:
        model.producer_version = message.text();
        break;
      case 7:
        if (std::exchange(has_graph, true)) where.refuse("there are two graphs");
        model.graph = read_onnx_graph(message.message("graph"));
        break;
      case 8:
        read_onnx_opset(message.message("opset_import"), model.opset);
        break;
      case 4:
      case 5:
      case 6:
      case 14:
        break;
      case 20:
        message.refuse("graphs of training are not read");
      case 25:
        message.refuse("functions of the model's own are not read; export it without");
      default:
        message.refuse_field();
    }
  }
  if (model.ir_version == 0 || !has_graph) where.refuse("this is no ONNX file");
  if (model.opset == 0) where.refuse("does not say the version of its operators (opset_import)");
  return model;
}

}  // namespace strata::inline STRATA_TARGET::io
