#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/onnx/graph/affine.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/options.hpp>
#include <strata/io/onnx/graph/recurrent.hpp>
#include <strata/io/onnx/read/external_data.hpp>
#include <strata/io/onnx/read/graph.hpp>
#include <strata/io/onnx/read/parse_model.hpp>
#include <strata/model/network.hpp>
#include <strata/padding.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Turns the layers that were read from an ONNX file into those of a model.

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the layers of a file, and the files beside it that hold its weights. Throws FormatError
/// where OnnxGraphReader::read, OnnxExternalReader::read and read_onnx_model do.
[[nodiscard]] inline OnnxLayers read_onnx(const Source& from, const OnnxOptions& options = {}) {
  OnnxModel model = read_onnx_model(from);
  OnnxExternalReader::read(model, from, options);
  return OnnxGraphReader::read(model, options.output, from.where());
}

[[nodiscard]] inline Architecture architecture_of(const OnnxLayers& file) {
  Architecture architecture{file.input, {}};
  for (const auto& layer : file.layers) architecture.layers.push_back(layer.description);
  return architecture;
}

/// The number of weights in all layers.
[[nodiscard]] inline std::size_t count_weights(const OnnxLayers& file) {
  std::size_t count = 0;
  for (const auto& layer : file.layers) {
    for (const auto& [name, numbers] : layer.weights) count += numbers.values.size();
  }
  return count;
}

/// The description that a layer would have after it was saved as ONNX and loaded: without the
/// options that an ONNX file does not keep and prediction does not need. For comparing a model's
/// layers with those of a file.
[[nodiscard]] inline LayerDescription as_in_onnx(LayerDescription layer) {
  if (layer.kind == "TimeDistributed") return as_in_onnx(layer.layers[0]);
  for (auto& inner : layer.layers) inner = as_in_onnx(inner);
  const auto has = [&](const char* name, const OptionValue& value) {
    const auto* found = layer.find(name);
    return !found || comparable(*found) == comparable(value);
  };
  const auto remove = [&](const std::string& name) {
    std::erase_if(layer.options, [&](const auto& one) { return one.first == name; });
  };
  for (const char* name : {"zero_output_for_mask", "mask_zero", "recompute"}) remove(name);
  for (auto& [name, value] : layer.options) {
    // ONNX keeps numbers as float.
    const double* const number = value.get_if<double>();
    if (number) value = static_cast<double>(static_cast<float>(*number));
    if (const auto* const list = value.get_if<std::vector<double>>(); list && !list->empty()) {
      std::vector<double> numbers = *list;
      for (double& one : numbers) one = static_cast<double>(static_cast<float>(one));
      value = OnnxAffine::shortened(std::move(numbers));
    }
  }
  if (layer.kind == "ExtendedLSTM" && has("peepholes", false) && has("projection", Index{0}) &&
      has("cell_clip", 0.0) && has("activation_clip", 0.0) && !layer.find("output_activation")) {
    layer.kind = "LSTM";
    for (const char* name : {"peepholes", "projection", "cell_clip", "activation_clip"}) {
      remove(name);
    }
  }
  if (layer.kind == "Conv1D" && has("kernel_size", Index{1})) {
    // A kernel of one step is the same with either padding.
    layer.option("padding") = std::string(name(Padding::causal));
  }
  if (layer.kind == "ReLU" && has("threshold", 0.0)) {
    // With the settings of an activation it is that activation in the file.
    const auto* const most = layer.find<double>("max_value");
    const auto* const slope = layer.find<double>("negative_slope");
    const auto activation = [](Activation one) {
      return LayerDescription{"Activation"}.add("activation", one);
    };
    if (slope && *slope == 0 && !most) return activation(Activation::relu);
    if (slope && *slope == 0 && *most == 6) return activation(Activation::relu6);
    if (slope && !most && is_setting(*slope, detail::leaky_slope)) {
      return activation(Activation::leaky_relu);
    }
  }
  return layer;
}

/// The descriptions that a model's layers would have after they were saved as ONNX and loaded. An
/// Activation behind a Dense or Conv1D becomes the activation of that layer, and LastStep behind a
/// recurrent layer becomes return_sequences = false. A Reshape at the end that makes steps of one
/// feature is left out: it changes no number.
[[nodiscard]] inline std::vector<LayerDescription> as_in_onnx(
    const std::vector<LayerDescription>& layers) {
  const auto is_linear = [](const LayerDescription& layer) {
    return comparable(*layer.find("activation")) == name(Activation::linear);
  };
  std::vector<LayerDescription> list;
  for (const LayerDescription& one : layers) {
    LayerDescription layer = as_in_onnx(one);
    if (is_of_training(layer)) continue;
    if (layer.kind == "Activation") {
      if (is_linear(layer)) continue;
      const bool has_own = !list.empty() &&
                           (list.back().kind == "Dense" || list.back().kind == "Conv1D") &&
                           is_linear(list.back());
      if (has_own) {
        list.back().option("activation") = *layer.find("activation");
        continue;
      }
    }
    const bool last_step = layer.kind == "LastStep" && !list.empty() &&
                           list.back().find("return_sequences") != nullptr;
    if (last_step) {
      list.back().option("return_sequences") = false;
    } else {
      list.push_back(std::move(layer));
    }
  }
  if (!list.empty() && list.back().kind == "Reshape" && *list.back().find<Index>("features") == 1) {
    list.pop_back();
  }
  return list;
}

/// Gives the weights of a file to a built model with the same layers, in their order. Throws
/// FormatError where a parameter is missing or of another size; the model keeps its own weights
/// then.
template <class Scalar>
void give_weights(const OnnxLayers& file, Network<Scalar> network, const Where& where) {
  std::vector<const OnnxChain::Layer*> with_weights;
  for (const auto& layer : file.layers) {
    if (!layer.weights.empty()) with_weights.push_back(&layer);
  }
  std::vector<Scalar> weights(static_cast<std::size_t>(network.parameter_count()));
  std::span<Scalar> rest = weights;
  auto next = with_weights.begin();
  for (const auto& layer : network.layers()) {
    const auto parameters = layer.parameters();
    if (parameters.empty()) continue;
    const OnnxChain::Layer* const from = next == with_weights.end() ? nullptr : *next++;
    if (!from || from->weights.size() != parameters.size()) {
      where.expected("the weights of " + layer.describe(),
                     from ? "others" : "no more layers with weights");
    }
    for (const auto& parameter : parameters) {
      const std::size_t size = parameter.values.size();
      const auto numbers = from->weights.find(parameter.name);
      const Where here = from->where.in(parameter.name);
      if (numbers == from->weights.end()) here.refuse("is missing");
      assign(Parameter<Scalar>{parameter.name, parameter.shape, rest.first(size)}, numbers->second,
             here);
      rest = rest.subspan(size);
    }
  }
  if (next != with_weights.end()) (*next)->where.refuse("the model has no such layer");
  network.set_weights(weights);
}

}  // namespace strata::inline STRATA_RUNTIME::io
