#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/recurrent.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/io/onnx/write/recurrent_weights.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes recurrent layers and Bidirectional.
class OnnxRecurrentWriter {
 public:
  static void write(OnnxGraphWriter& graph, const LayerDescription& layer,
                    const OnnxWeights& weights) {
    const bool both = layer.kind == "Bidirectional";
    const LayerDescription& inner = both ? layer.layers[0] : layer;
    const Operator op = operator_of(graph, inner);
    OptionReader options(inner, graph.where());
    const Index units = options.size("units");
    const bool sequences = options.get<bool>("return_sequences");
    bool backwards = false;
    options.read("go_backwards", backwards);
    const OnnxRecurrentWeights operands(weights, both, units, op.order, graph.where());
    std::vector<OnnxAttribute> attributes{{"hidden_size", units},
                                          {"direction", std::string(both        ? "bidirectional"
                                                                    : backwards ? "reverse"
                                                                                : "forward")}};
    add_options(graph, op, inner, operands.directions(), attributes);
    graph.put_steps_first();
    std::vector<std::string> inputs{graph.value()};
    inputs.push_back(graph.add_numbers("W", operands.gates_of("kernel")));
    inputs.push_back(graph.add_numbers("R", operands.gates_of("recurrent_kernel")));
    const bool bias = operands.has("bias");
    const bool peepholes = operands.has("peephole_input");
    if (bias || peepholes) {
      inputs.push_back(bias ? graph.add_numbers("B", operands.biases()) : "");
    }
    if (peepholes) {
      inputs.insert(inputs.end(), {"", "", ""});
      inputs.push_back(graph.add_numbers("P", operands.peepholes()));
    }
    graph.add_node(op.name, std::move(inputs), std::move(attributes));
    // The second output, Y_h, is the state after the last step in the order of reading.
    if (!sequences) graph.use_second_output();
    if (both) {
      OptionReader reader(layer, graph.where());
      merge(graph, reader.get<std::string>("merge"), sequences, 2 * units);
    } else {
      graph.squeeze(sequences ? 1 : 0);
    }
    if (!sequences) {
      graph.take_steps_away();
    } else if (backwards) {
      // ONNX puts out the steps in the order of the input, strata in the order of reading.
      graph.add_node("Slice",
                     {graph.value(), graph.add_integers("starts", {-1}),
                      graph.add_integers("ends", {(std::numeric_limits<Index>::min)()}),
                      graph.add_integers("axes", {0}), graph.add_integers("steps", {-1})},
                     {});
    }
  }

 private:
  /// Merges the two directions of the current tensor, (T, 2, B, U) or, without sequences, (2, B,
  /// U).
  static void merge(OnnxGraphWriter& graph, const std::string& how, bool sequences, Index width) {
    const Index axis = sequences ? 1 : 0;
    if (how == "concat") {
      graph.transpose(sequences ? std::vector<Index>{0, 2, 1, 3} : std::vector<Index>{1, 0, 2});
      return graph.reshape_to(sequences ? std::vector<Index>{0, 0, width}
                                        : std::vector<Index>{0, width});
    }
    if (how == "sum") {
      return graph.add_node("ReduceSum", {graph.value(), graph.add_integers("axes", {axis})},
                            {{"keepdims", Index{0}}});
    }
    graph.add_node(how == "mul" ? "ReduceProd" : "ReduceMean", {graph.value()},
                   {{"axes", std::vector<Index>{axis}}, {"keepdims", Index{0}}});
  }

  struct Operator {
    const char* name;
    /// The order of the gates, as OnnxRecurrentWeights takes it.
    std::vector<int> order;
    bool reset_after = false;
  };

  [[nodiscard]] static Operator operator_of(const OnnxGraphWriter& graph,
                                            const LayerDescription& layer) {
    if (layer.kind == "LSTM" || layer.kind == "ExtendedLSTM") return {"LSTM", {0, 3, 1, 2}};
    if (layer.kind == "CoupledLSTM") return {"LSTM", {0, 2, -1, 1}};
    if (layer.kind == "GRU") return {"GRU", {0, 1, 2}, true};
    if (layer.kind == "ResetBeforeGRU") return {"GRU", {0, 1, 2}};
    if (layer.kind == "SimpleRNN") return {"RNN", {0}};
    graph.refuse(layer.kind + " is no recurrent layer that ONNX has");
  }

  static void add_options(const OnnxGraphWriter& graph, const Operator& op,
                          const LayerDescription& layer, std::size_t directions,
                          std::vector<OnnxAttribute>& attributes) {
    OptionReader options(layer, graph.where());
    for (const char* name : {"zoneout", "memory_zoneout", "cell_clip"}) {
      double value = 0;
      options.read(name, value);
      if (value != 0) graph.refuse(std::string(name) + " is not 0, which ONNX does not have");
    }
    Index projection = 0;
    options.read("projection", projection);
    if (projection != 0) graph.refuse("projection is not 0, which ONNX does not have");
    double clip = 0;
    options.read("activation_clip", clip);
    if (clip > 0) attributes.push_back({"clip", static_cast<float>(clip)});
    if (layer.kind == "CoupledLSTM") attributes.push_back({"input_forget", Index{1}});
    if (op.reset_after) attributes.push_back({"linear_before_reset", Index{1}});

    Activation recurrent = Activation::sigmoid;
    Activation activation = Activation::tanh;
    options.read("recurrent_activation", recurrent);
    options.read("activation", activation);
    Activation output = activation;
    if (layer.find("output_activation")) options.read("output_activation", output);
    std::vector<Activation> all;
    if (op.name != std::string_view("RNN")) all.push_back(recurrent);
    all.push_back(activation);
    if (op.name == std::string_view("LSTM")) all.push_back(output);
    std::vector<std::string> names;
    std::vector<float> alphas;
    std::vector<float> betas;
    for (std::size_t direction = 0; direction < directions; ++direction) {
      for (const Activation one : all) {
        const OnnxActivation known = onnx_activation_of(graph, one);
        names.emplace_back(known.name);
        if (known.alpha) alphas.push_back(static_cast<float>(*known.alpha));
        if (known.beta) betas.push_back(static_cast<float>(*known.beta));
      }
    }
    attributes.push_back({"activations", std::move(names)});
    if (!alphas.empty()) attributes.push_back({"activation_alpha", std::move(alphas)});
    if (!betas.empty()) attributes.push_back({"activation_beta", std::move(betas)});
  }

  [[nodiscard]] static OnnxActivation onnx_activation_of(const OnnxGraphWriter& graph,
                                                         Activation activation) {
    for (const OnnxActivation& one : onnx_activations) {
      if (one.activation == activation) return one;
    }
    graph.refuse("ONNX' recurrent operators have no activation " + std::string(name(activation)));
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
