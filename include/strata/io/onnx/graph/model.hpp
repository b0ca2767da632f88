#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// The parts of an ONNX file, as the reader and the writer keep them in memory; see
// https://github.com/onnx/onnx/blob/main/docs/IR.md.

namespace strata::inline STRATA_RUNTIME::io {

/// The versions of the file format and of the operator set: up to those of ONNX 1.23 are read.
/// Older ones are written, so that older runtimes can load the files.
inline constexpr Index onnx_newest_ir_version = 14;
inline constexpr Index onnx_oldest_opset = 7;
inline constexpr Index onnx_newest_opset = 28;
inline constexpr Index onnx_written_ir_version = 8;
inline constexpr Index onnx_written_opset = 17;

/// An element type with its code in TensorProto.DataType. Other types are not read.
struct OnnxElement {
  Index code;
  Element element;
};
inline constexpr OnnxElement onnx_elements[] = {
    {1, Element::float32},  {6, Element::int32},    {7, Element::int64},    {9, Element::boolean},
    {10, Element::float16}, {11, Element::float64}, {16, Element::bfloat16}};

/// The element type of a code; empty for types that are not read.
[[nodiscard]] constexpr std::optional<Element> onnx_element_of(Index code) noexcept {
  for (const OnnxElement& one : onnx_elements) {
    if (one.code == code) return one.element;
  }
  return std::nullopt;
}
[[nodiscard]] constexpr Index onnx_code_of(Element element) noexcept {
  for (const OnnxElement& one : onnx_elements) {
    if (one.element == element) return one.code;
  }
  return 0;
}

/// The place of a tensor's numbers in another file, as the model's file says it.
struct OnnxExternalPlace {
  /// The name of the file, of which nothing has been checked yet.
  std::string file;
  std::uintmax_t offset = 0;
  std::size_t length = 0;
};

/// A constant: its numbers in C order, little-endian.
struct OnnxTensor {
  std::string name;
  Element element = Element::float32;
  std::vector<Index> shape;
  std::vector<std::byte> bytes;
  /// Where the bytes are as long as they have not been read from another file.
  std::optional<OnnxExternalPlace> external = std::nullopt;
};

/// The codes of AttributeProto.AttributeType. Other types are not read.
enum class OnnxAttributeType {
  number = 1,
  integer = 2,
  text = 3,
  tensor = 4,
  graph = 5,
  numbers = 6,
  integers = 7,
  texts = 8
};

/// A subgraph as an attribute. Its contents are not kept, since none of the operators that strata
/// reads has one.
struct OnnxSubgraph {};

/// The value of an attribute. The alternatives are in the order of OnnxAttributeType.
using OnnxAttributeValue =
    std::variant<float, Index, std::string, OnnxTensor, OnnxSubgraph, std::vector<float>,
                 std::vector<Index>, std::vector<std::string>>;

struct OnnxAttribute {
  std::string name;
  OnnxAttributeValue value;
};

struct OnnxNode {
  std::string name;
  std::string op;
  std::string domain;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<OnnxAttribute> attributes;
};

/// One size of an input or output: a number, or Dynamic, which may have a name such as "batch".
struct OnnxDimension {
  Index size = Dynamic;
  std::string name;
};

struct OnnxValueInfo {
  std::string name;
  /// A code of TensorProto.DataType; 0 where the value is no tensor.
  Index type = 0;
  /// Empty where the file does not give a shape.
  std::optional<std::vector<OnnxDimension>> shape;
};

struct OnnxGraph {
  std::string name;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValueInfo> inputs;
  std::vector<OnnxValueInfo> outputs;
};

struct OnnxModel {
  Index ir_version = 0;
  Index opset = 0;
  std::string producer;
  std::string producer_version;
  OnnxGraph graph;
};

}  // namespace strata::inline STRATA_RUNTIME::io
