#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/error.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Puts a graph together node by node. Each node takes the current tensor and makes the next one.
/// Batch size and number of steps are left open.
///
/// ONNX' recurrent operators want the steps first; all other operators work in either order. The
/// writer adds a Transpose only where a layer needs the other order than the current tensor has.
class OnnxGraphWriter {
 public:
  /// `input`: the shape of a batch, (B, T, F) or (B, F), or (B, T) where `ids`, whole numbers for
  /// an Embedding.
  OnnxGraphWriter(const Shape& input, bool ids) : rank_(input.rank()) {
    model_.ir_version = onnx_written_ir_version;
    model_.opset = onnx_written_opset;
    model_.producer = "strata";
    model_.producer_version = version_string;
    model_.graph.name = "strata";
    OnnxValueInfo x{
        "x", onnx_code_of(ids ? Element::int64 : Element::float32), {{{Dynamic, "batch"}}}};
    for (Index axis = 1; axis < input.rank(); ++axis) x.shape->push_back({input[axis], "steps"});
    model_.graph.inputs.push_back(std::move(x));
    value_ = "x";
  }

  /// Makes the current tensor the output, with `features` features. Returns the graph.
  [[nodiscard]] OnnxModel finish(Index features) {
    put_batch_first();
    add_node("Identity", {value_}, {});
    model_.graph.nodes.back().outputs = {"y"};
    OnnxValueInfo y{"y", onnx_code_of(Element::float32), {{{Dynamic, "batch"}}}};
    if (has_steps()) y.shape->push_back({Dynamic, "steps_of_y"});
    y.shape->push_back({features, "features"});
    model_.graph.outputs.push_back(std::move(y));
    return std::move(model_);
  }

  /// Names the layer whose nodes come next, for messages.
  void begin_layer(std::string place) { place_ = std::move(place); }
  [[nodiscard]] Where where() const { return Where(place_); }
  /// Throws ValueError, naming the layer that ONNX cannot express.
  [[noreturn]] void refuse(const std::string& what) const {
    throw ValueError("save_onnx: " + place_ + ": " + what);
  }

  /// The name of the current tensor.
  [[nodiscard]] const std::string& value() const noexcept { return value_; }

  /// Adds a node, whose output becomes the current tensor.
  void add_node(const char* op, std::vector<std::string> inputs,
                std::vector<OnnxAttribute> attributes) {
    const std::string name = unique(op);
    model_.graph.nodes.push_back(
        {name, op, "", std::move(inputs), {name + "_output"}, std::move(attributes)});
    value_ = name + "_output";
  }
  /// Makes the last node's second output the current tensor, in place of its first.
  void use_second_output() { model_.graph.nodes.back().outputs = {"", value_}; }

  /// Adds a constant. Returns its name in the graph: `name`, with a number behind it where the name
  /// is taken. Throws ValueError on a number that float cannot hold.
  [[nodiscard]] std::string add_numbers(const std::string& name, const Numbers& numbers) {
    OnnxTensor tensor{unique(name), Element::float32, numbers.shape, {}};
    tensor.bytes.resize(numbers.values.size() * sizeof(float));
    for (std::size_t i = 0; i < numbers.values.size(); ++i) {
      const auto value = static_cast<float>(numbers.values[i]);
      if (detail::is_infinite(value) && !detail::is_infinite(numbers.values[i])) {
        refuse(name + " has a number that float cannot hold, which ONNX Runtime computes in");
      }
      write_scalar(value, tensor.bytes.data() + i * sizeof(float));
    }
    model_.graph.initializers.push_back(std::move(tensor));
    return model_.graph.initializers.back().name;
  }
  [[nodiscard]] std::string add_integers(const std::string& name, const std::vector<Index>& list,
                                         bool scalar = false) {
    OnnxTensor tensor{unique(name), Element::int64, {static_cast<Index>(list.size())}, {}};
    if (scalar) tensor.shape.clear();
    tensor.bytes.resize(list.size() * sizeof(std::int64_t));
    for (std::size_t i = 0; i < list.size(); ++i) {
      write_scalar(std::int64_t{list[i]}, tensor.bytes.data() + i * sizeof(std::int64_t));
    }
    model_.graph.initializers.push_back(std::move(tensor));
    return model_.graph.initializers.back().name;
  }

  /// Whether the current tensor has steps: (B, T, F) or (T, B, F), not (B, F).
  [[nodiscard]] bool has_steps() const noexcept { return rank_ == 3; }
  [[nodiscard]] Index steps_axis() const noexcept { return steps_first_ ? 0 : 1; }
  /// Notes that the current tensor has become (B, F).
  void take_steps_away() noexcept {
    rank_ = 2;
    steps_first_ = false;
  }
  /// Notes that the current tensor has become (B, T, F).
  void give_steps() noexcept { rank_ = 3; }

  void put_steps_first() {
    if (!steps_first_) transpose({1, 0, 2});
    steps_first_ = true;
  }
  void put_batch_first() {
    if (steps_first_) transpose({1, 0, 2});
    steps_first_ = false;
  }

  void transpose(std::vector<Index> perm) {
    add_node("Transpose", {value_}, {{"perm", std::move(perm)}});
  }
  void reshape_to(const std::vector<Index>& sizes) {
    add_node("Reshape", {value_, add_integers("shape", sizes)}, {});
  }
  void squeeze(Index axis) { add_node("Squeeze", {value_, add_integers("axes", {axis})}, {}); }

 private:
  [[nodiscard]] std::string unique(const std::string& stem) {
    const int number = names_[stem]++;
    return number == 0 ? stem : stem + "_" + std::to_string(number);
  }

  OnnxModel model_;
  Index rank_;
  std::string value_;
  bool steps_first_ = false;
  std::string place_;
  std::map<std::string, int> names_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
