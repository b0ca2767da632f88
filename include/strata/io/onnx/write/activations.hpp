#pragma once

#include <optional>
#include <string>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/onnx/graph/weights.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes the activations that are layers of their own, ReLU, ELU and PReLU, Rescaling, and the
/// activations for which the written operators have no single one.
class OnnxActivationWriter {
 public:
  static void relu(OnnxGraphWriter& graph, const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, graph.where());
    std::optional<double> most;
    if (layer.find("max_value")) most = options.get<double>("max_value");
    const double slope = options.get<double>("negative_slope");
    if (options.get<double>("threshold") != 0 || (most && slope != 0)) {
      graph.refuse("ONNX has a ReLU with a max_value or with a negative_slope, and no threshold");
    }
    if (most) return clip(graph, *most);
    if (slope == 0) return graph.add_node("Relu", {graph.value()}, {});
    graph.add_node("LeakyRelu", {graph.value()}, {{"alpha", static_cast<float>(slope)}});
  }

  static void elu(OnnxGraphWriter& graph, const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, graph.where());
    graph.add_node("Elu", {graph.value()},
                   {{"alpha", static_cast<float>(options.get<double>("alpha"))}});
  }

  static void prelu(OnnxGraphWriter& graph, const LayerDescription&, const OnnxWeights& weights) {
    graph.add_node("PRelu", {graph.value(), graph.add_numbers("alpha", weights.at("alpha"))}, {});
  }

  static void rescaling(OnnxGraphWriter& graph, const LayerDescription& layer, const OnnxWeights&) {
    OptionReader options(layer, graph.where());
    const auto add = [&](const char* op, const char* name) {
      const auto given = options.get<std::vector<double>>(name);
      const Numbers numbers{{static_cast<Index>(given.size())}, given};
      graph.add_node(op, {graph.value(), graph.add_numbers(name, numbers)}, {});
    };
    add("Mul", "scale");
    add("Add", "offset");
  }

  /// min(max(x, 0), most).
  static void clip(OnnxGraphWriter& graph, double most) {
    graph.add_node("Clip", {graph.value(), number(graph, 0), number(graph, most)}, {});
  }

  /// x sigmoid(x).
  static void silu(OnnxGraphWriter& graph) {
    const std::string x = graph.value();
    graph.add_node("Sigmoid", {x}, {});
    graph.add_node("Mul", {x, graph.value()}, {});
  }

  /// x / 2 (1 + erf(x / sqrt(2))).
  static void gelu(OnnxGraphWriter& graph) {
    const std::string x = graph.value();
    graph.add_node("Div", {x, number(graph, 1.4142135623730951)}, {});
    graph.add_node("Erf", {graph.value()}, {});
    times_half_and_one(graph, x);
  }

  /// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
  static void gelu_tanh(OnnxGraphWriter& graph) {
    const std::string x = graph.value();
    graph.add_node("Mul", {x, x}, {});
    graph.add_node("Mul", {x, graph.value()}, {});
    graph.add_node("Mul", {graph.value(), number(graph, 0.044715)}, {});
    graph.add_node("Add", {x, graph.value()}, {});
    graph.add_node("Mul", {graph.value(), number(graph, 0.7978845608028654)}, {});
    graph.add_node("Tanh", {graph.value()}, {});
    times_half_and_one(graph, x);
  }

  /// x tanh(softplus(x)).
  static void mish(OnnxGraphWriter& graph) {
    const std::string x = graph.value();
    graph.add_node("Softplus", {x}, {});
    graph.add_node("Tanh", {graph.value()}, {});
    graph.add_node("Mul", {x, graph.value()}, {});
  }

 private:
  [[nodiscard]] static std::string number(OnnxGraphWriter& graph, double value) {
    return graph.add_numbers("number", {{}, {value}});
  }

  /// x / 2 (1 + value), of the current tensor.
  static void times_half_and_one(OnnxGraphWriter& graph, const std::string& x) {
    graph.add_node("Add", {graph.value(), number(graph, 1)}, {});
    graph.add_node("Mul", {x, graph.value()}, {});
    graph.add_node("Mul", {graph.value(), number(graph, 0.5)}, {});
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
