#pragma once

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes Dense, Activation and Embedding.
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
      case Activation::silu:
      case Activation::gelu:
      case Activation::gelu_tanh:
      case Activation::mish:
        graph.refuse("save_onnx does not write its activation");
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
