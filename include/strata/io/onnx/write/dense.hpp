#pragma once

#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/write/activations.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/padding.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes Dense, Conv1D, Activation and Embedding.
class OnnxDenseWriter {
 public:
  static void dense(OnnxGraphWriter& graph, const LayerDescription& layer,
                    const OnnxWeights& weights) {
    graph.add_node("MatMul", {graph.value(), graph.add_numbers("kernel", weights.at("kernel"))},
                   {});
    if (const auto bias = weights.find("bias"); bias != weights.end()) {
      graph.add_node("Add", {graph.value(), graph.add_numbers("bias", bias->second)}, {});
    }
    activation(graph, layer, weights);
  }

  static void convolution(OnnxGraphWriter& graph, const LayerDescription& layer,
                          const OnnxWeights& weights) {
    OptionReader options(layer, graph.where());
    const Index dilation = options.size("dilation_rate");
    const Index reach = (options.size("kernel_size") - 1) * dilation;
    const bool causal = options.get<std::string>("padding") == name(Padding::causal);
    graph.put_batch_first();
    graph.transpose({0, 2, 1});
    std::vector<std::string> inputs{
        graph.value(), graph.add_numbers("kernel", with_axes(weights.at("kernel"), {2, 1, 0}))};
    if (const auto bias = weights.find("bias"); bias != weights.end()) {
      inputs.push_back(graph.add_numbers("bias", bias->second));
    }
    graph.add_node("Conv", std::move(inputs),
                   {{"dilations", std::vector<Index>{dilation}},
                    {"pads", std::vector<Index>{causal ? reach : 0, 0}}});
    graph.transpose({0, 2, 1});
    activation(graph, layer, weights);
  }

  static void activation(OnnxGraphWriter& graph, const LayerDescription& layer,
                         const OnnxWeights&) {
    OptionReader options(layer, graph.where());
    switch (options.get<Activation>("activation")) {
      case Activation::linear:
        return;
      case Activation::relu:
        return graph.add_node("Relu", {graph.value()}, {});
      case Activation::sigmoid:
        return graph.add_node("Sigmoid", {graph.value()}, {});
      case Activation::tanh:
        return graph.add_node("Tanh", {graph.value()}, {});
      case Activation::hard_sigmoid:
        return graph.add_node("HardSigmoid", {graph.value()},
                              {{"alpha", static_cast<float>(1.0 / 6)}, {"beta", 0.5f}});
      case Activation::softsign:
        return graph.add_node("Softsign", {graph.value()}, {});
      case Activation::softplus:
        return graph.add_node("Softplus", {graph.value()}, {});
      case Activation::elu:
        return graph.add_node("Elu", {graph.value()}, {{"alpha", 1.0f}});
      case Activation::exponential:
        return graph.add_node("Exp", {graph.value()}, {});
      case Activation::leaky_relu:
        return graph.add_node("LeakyRelu", {graph.value()},
                              {{"alpha", static_cast<float>(detail::leaky_slope)}});
      case Activation::hard_sigmoid_fifth:
        return graph.add_node("HardSigmoid", {graph.value()}, {{"alpha", 0.2f}, {"beta", 0.5f}});
      case Activation::selu:
        return graph.add_node("Selu", {graph.value()}, {});
      case Activation::relu6:
        return OnnxActivationWriter::clip(graph, 6);
      case Activation::silu:
        return OnnxActivationWriter::silu(graph);
      case Activation::gelu:
        return OnnxActivationWriter::gelu(graph);
      case Activation::gelu_tanh:
        return OnnxActivationWriter::gelu_tanh(graph);
      case Activation::mish:
        return OnnxActivationWriter::mish(graph);
      case Activation::softmax:
        return graph.add_node("Softmax", {graph.value()}, {{"axis", Index{-1}}});
    }
  }

  static void embedding(OnnxGraphWriter& graph, const LayerDescription& layer,
                        const OnnxWeights& weights) {
    OptionReader options(layer, graph.where());
    bool masks = false;
    options.read("mask_zero", masks);
    if (masks) graph.refuse("mask_zero masks steps, which ONNX does not have");
    graph.add_node("Gather",
                   {graph.add_numbers("embeddings", weights.at("embeddings")), graph.value()}, {});
    graph.give_steps();
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
