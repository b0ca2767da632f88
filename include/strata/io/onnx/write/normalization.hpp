#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Writes LayerNormalization, BatchNormalization and Normalization.
class OnnxNormalizationWriter {
 public:
  static void layer_normalization(OnnxGraphWriter& graph, const LayerDescription& layer,
                                  const OnnxWeights& weights) {
    OptionReader options(layer, graph.where());
    const auto gamma = weights.find("gamma");
    const auto beta = weights.find("beta");
    if (gamma == weights.end()) graph.refuse("ONNX' LayerNormalization is never without a scale");
    std::vector<std::string> inputs{graph.value(), graph.add_numbers("gamma", gamma->second)};
    if (beta != weights.end()) inputs.push_back(graph.add_numbers("beta", beta->second));
    const auto epsilon = static_cast<float>(options.get<double>("epsilon"));
    graph.add_node("LayerNormalization", std::move(inputs),
                   {{"axis", Index{-1}}, {"epsilon", epsilon}});
  }

  static void normalization(OnnxGraphWriter& graph, const LayerDescription& layer,
                            const OnnxWeights& weights) {
    OptionReader options(layer, graph.where());
    const auto numbers_of = [&](const char* name) {
      if (const auto found = weights.find(name); found != weights.end()) return found->second;
      std::vector<double> given;
      options.read(name, given);
      return Numbers{{static_cast<Index>(given.size())}, given};
    };
    Numbers deviation = numbers_of("variance");
    constexpr double epsilon = 1e-7;
    for (double& value : deviation.values) value = (std::max)(std::sqrt(value), epsilon);
    const std::string mean = graph.add_numbers("mean", numbers_of("mean"));
    const std::string scale = graph.add_numbers("deviation", deviation);
    const bool invert = options.get<bool>("invert");
    graph.add_node(invert ? "Mul" : "Sub", {graph.value(), invert ? scale : mean}, {});
    graph.add_node(invert ? "Add" : "Div", {graph.value(), invert ? mean : scale}, {});
  }

  static void batch_normalization(OnnxGraphWriter& graph, const LayerDescription& layer,
                                  const OnnxWeights& weights) {
    OptionReader options(layer, graph.where());
    const Numbers& mean = weights.at("moving_mean");
    const auto or_all = [&](const char* name, double value) {
      const auto found = weights.find(name);
      return found != weights.end()
                 ? found->second
                 : Numbers{mean.shape, std::vector<double>(mean.values.size(), value)};
    };
    graph.put_batch_first();
    if (graph.has_steps()) graph.transpose({0, 2, 1});
    std::vector<std::string> inputs{
        graph.value(), graph.add_numbers("gamma", or_all("gamma", 1)),
        graph.add_numbers("beta", or_all("beta", 0)), graph.add_numbers("moving_mean", mean),
        graph.add_numbers("moving_variance", weights.at("moving_variance"))};
    graph.add_node("BatchNormalization", std::move(inputs),
                   {{"epsilon", static_cast<float>(options.get<double>("epsilon"))},
                    {"momentum", static_cast<float>(options.get<double>("momentum"))}});
    if (graph.has_steps()) graph.transpose({0, 2, 1});
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
