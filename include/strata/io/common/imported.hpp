#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/model/network.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Layers that the readers of other libraries' files make.

namespace strata::inline STRATA_RUNTIME::io {

/// Numbers for the parameters of a layer, by the names of the parameters.
using LayerWeights = std::map<std::string, Numbers>;

/// What a layer of a file is, and its weights: all that must be known to give the weights to a
/// model that has layers of its own. Such a layer computes nothing, so a program that only fills
/// its own model does not compile what the layers of the file could compute.
template <class S>
struct FileLayer {
  struct Weights {
    std::string name;
    Shape shape;
    std::vector<S> values;
  };

  LayerDescription description;
  /// In the order of the layer's parameters.
  std::vector<Weights> parameters = {};

  explicit FileLayer(LayerDescription described) : description(std::move(described)) {}
  /// A layer without weights.
  template <class L>
    requires(!std::same_as<L, FileLayer> && Layer<L>)
  explicit FileLayer(const L& layer) : description(detail::describe_layer(layer)) {}
};

/// Layers of a file as one layer of this kind, such as SkipConnections.
template <class S>
[[nodiscard]] FileLayer<S> described_stack(const char* kind, std::vector<FileLayer<S>> layers) {
  FileLayer<S> stack{LayerDescription(kind)};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    stack.description.add_layer(std::move(layers[i].description));
    for (auto& one : layers[i].parameters) {
      one.name = std::to_string(i) + "." + one.name;
      stack.parameters.push_back(std::move(one));
    }
  }
  return stack;
}

template <class>
struct ScalarOfMade;
template <template <class> class Made, class S>
struct ScalarOfMade<Made<S>> {
  using type = S;
};
/// The scalar of an AnyLayer or a FileLayer.
template <class Made>
using ScalarOf = typename ScalarOfMade<Made>::type;

/// Gives parameters of a layer their weights. Throws FormatError when `weights` has no array for a
/// parameter, an array of other sizes, or more arrays than there are parameters.
template <class S>
void fill(const std::vector<Parameter<S>>& parameters, const LayerWeights& weights,
          const Where& where) {
  for (const auto& parameter : parameters) {
    const auto found = weights.find(parameter.name);
    if (found == weights.end()) where.in(parameter.name).refuse("is missing");
    assign(parameter, found->second, where.in(parameter.name));
  }
  if (parameters.size() == weights.size()) return;
  std::vector<std::string> names;
  for (const auto& [name, numbers] : weights) names.push_back(name);
  where.refuse("the layer has no place for all of these: " + list_text(names));
}

/// The weights of a file's layers in the order of the model's parameters, as set_weights takes
/// them. The model must have the same layers with weights in the same order; layers without weights
/// are not compared. Before a layer of the file is compared with the model's layer, `adapt(of_file,
/// of_model)` gets the two descriptions, and may change that of the file where its format leaves
/// something open. Throws StateError before the model is built, FormatError when the layers differ.
template <class Scalar, class Adapt>
[[nodiscard]] std::vector<Scalar> weights_for(const std::vector<FileLayer<Scalar>>& layers,
                                              const Network<Scalar>& network, Adapt adapt,
                                              const Where& where) {
  const auto wanted = network.parameters();
  std::vector<const FileLayer<Scalar>*> of_file;
  for (const auto& layer : layers) {
    if (!layer.parameters.empty()) of_file.push_back(&layer);
  }
  std::vector<std::size_t> of_model;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (!network.layers()[i].parameters().empty()) of_model.push_back(i);
  }
  if (of_file.size() != of_model.size()) {
    where.expected("the model's " + std::to_string(of_model.size()) + " layers with weights",
                   std::to_string(of_file.size()));
  }
  std::vector<Scalar> weights;
  auto next = wanted.begin();
  for (std::size_t i = 0; i < of_file.size(); ++i) {
    const LayerDescription expected = network.layers()[of_model[i]].description();
    LayerDescription found = of_file[i]->description;
    const Where here =
        where.in("layer " + std::to_string(of_model[i]) + " (" + expected.kind + ")");
    adapt(found, expected);
    require_same_layer(found, expected, here);
    for (const auto& parameter : of_file[i]->parameters) {
      if (parameter.shape != next->shape) {
        here.in(parameter.name)
            .expected(sizes_text(sizes_of(next->shape)), sizes_text(sizes_of(parameter.shape)));
      }
      weights.insert(weights.end(), parameter.values.begin(), parameter.values.end());
      ++next;
    }
  }
  return weights;
}

/// The weights of a file's layers in the order of the model's parameters, for a format that holds
/// layers without weights too: the model must have all layers of the file. Only layers and options
/// of training, such as Dropout, may differ. Throws as the function above.
template <class Scalar>
[[nodiscard]] std::vector<Scalar> weights_for(const std::vector<FileLayer<Scalar>>& layers,
                                              const Network<Scalar>& network, const Where& where) {
  std::vector<LayerDescription> of_file;
  for (const auto& layer : layers) of_file.push_back(layer.description);
  std::vector<LayerDescription> of_model;
  for (const auto& layer : network.layers()) of_model.push_back(layer.description());
  require_same_layers(of_file, of_model, where);
  return weights_for(
      layers, network, [](LayerDescription&, const LayerDescription&) {}, where);
}

}  // namespace strata::inline STRATA_RUNTIME::io
