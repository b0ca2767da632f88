#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/write/activations.hpp>
#include <strata/io/onnx/write/dense.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/io/onnx/write/normalization.hpp>
#include <strata/io/onnx/write/recurrent.hpp>
#include <strata/io/onnx/write/steps.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes layers as nodes, one after the other.
class OnnxLayerWriter {
 public:
  /// Adds the nodes of a layer. Throws ValueError, naming the layer, where ONNX cannot express it.
  static void write(OnnxGraphWriter& graph, const LayerDescription& layer,
                    const OnnxWeights& weights) {
    for (const Kind& kind : kinds()) {
      if (kind.name == layer.kind) return kind.write(graph, layer, weights);
    }
    graph.refuse(layer.kind + " cannot be said in the operators that save_onnx writes");
  }

 private:
  struct Kind {
    std::string_view name;
    void (*write)(OnnxGraphWriter& graph, const LayerDescription&, const OnnxWeights&);
  };

  [[nodiscard]] static std::span<const Kind> kinds() {
    static constexpr Kind list[] = {
        {"Activation", &OnnxDenseWriter::activation},
        {"AllOutputs", &OnnxLayerWriter::joined_stack<false>},
        {"BatchNormalization", &OnnxNormalizationWriter::batch_normalization},
        {"Bidirectional", &OnnxRecurrentWriter::write},
        {"Chain", &OnnxLayerWriter::chain},
        {"Conv1D", &OnnxDenseWriter::convolution},
        {"CoupledLSTM", &OnnxRecurrentWriter::write},
        {"Dense", &OnnxDenseWriter::dense},
        {"Dropout", &OnnxLayerWriter::nothing},
        {"ELU", &OnnxActivationWriter::elu},
        {"Embedding", &OnnxDenseWriter::embedding},
        {"ExtendedLSTM", &OnnxRecurrentWriter::write},
        {"Flatten", &OnnxStepsWriter::flatten},
        {"GRU", &OnnxRecurrentWriter::write},
        {"GaussianNoise", &OnnxLayerWriter::nothing},
        {"LSTM", &OnnxRecurrentWriter::write},
        {"LastStep", &OnnxStepsWriter::last_step},
        {"LayerNormalization", &OnnxNormalizationWriter::layer_normalization},
        {"MaxOverSteps", &OnnxStepsWriter::max_over_steps},
        {"MeanOverSteps", &OnnxStepsWriter::mean_over_steps},
        {"Normalization", &OnnxNormalizationWriter::normalization},
        {"PReLU", &OnnxActivationWriter::prelu},
        {"ReLU", &OnnxActivationWriter::relu},
        {"RepeatVector", &OnnxStepsWriter::repeat_vector},
        {"Rescaling", &OnnxActivationWriter::rescaling},
        {"ResetBeforeGRU", &OnnxRecurrentWriter::write},
        {"Reshape", &OnnxStepsWriter::reshape},
        {"Residual", &OnnxLayerWriter::residual},
        {"SimpleRNN", &OnnxRecurrentWriter::write},
        {"SkipConnections", &OnnxLayerWriter::joined_stack<true>},
        {"TimeDistributed", &OnnxLayerWriter::time_distributed}};
    return list;
  }

  static void nothing(OnnxGraphWriter&, const LayerDescription&, const OnnxWeights&) {}

  /// The weights of layer `i` among the inner layers, by the layer's own names.
  [[nodiscard]] static OnnxWeights weights_of(const OnnxWeights& weights, std::size_t i) {
    const std::string prefix = std::to_string(i) + ".";
    OnnxWeights own;
    for (const auto& [name, numbers] : weights) {
      if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), numbers);
    }
    return own;
  }

  static void chain(OnnxGraphWriter& graph, const LayerDescription& layer,
                    const OnnxWeights& weights) {
    for (std::size_t i = 0; i < layer.layers.size(); ++i) {
      write(graph, layer.layers[i], weights_of(weights, i));
    }
  }

  static void time_distributed(OnnxGraphWriter& graph, const LayerDescription& layer,
                               const OnnxWeights& weights) {
    write(graph, layer.layers[0], weights);
  }

  static void residual(OnnxGraphWriter& graph, const LayerDescription& layer,
                       const OnnxWeights& weights) {
    graph.put_batch_first();
    const std::string x = graph.value();
    write(graph, layer.layers[0], weights);
    graph.put_batch_first();
    graph.add_node("Add", {x, graph.value()}, {});
  }

  /// The first layer reads the input, each further one the output of the layer before it, in
  /// SkipConnections beside the input. The outputs of all layers, side by side, are the result.
  template <bool ReadsInput>
  static void joined_stack(OnnxGraphWriter& graph, const LayerDescription& layer,
                           const OnnxWeights& weights) {
    graph.put_batch_first();
    const std::string x = graph.value();
    std::vector<std::string> outputs;
    for (std::size_t i = 0; i < layer.layers.size(); ++i) {
      if (i > 0 && ReadsInput) graph.add_node("Concat", {x, outputs.back()}, {{"axis", Index{-1}}});
      write(graph, layer.layers[i], weights_of(weights, i));
      graph.put_batch_first();
      outputs.push_back(graph.value());
    }
    graph.add_node("Concat", std::move(outputs), {{"axis", Index{-1}}});
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
