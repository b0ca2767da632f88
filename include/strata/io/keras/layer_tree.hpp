#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/contracts/parameter_rules.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/model/layer_names.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A layer of a Keras model and what has become of it, or a model within the model. The file's
/// weights lie in the order and with the names of this tree, while strata's model is a chain.
struct KerasLayer {
  /// Keras' class, "LSTM".
  std::string class_name;
  std::string name = {};
  bool is_trainable = true;

  /// The layers of a model, in the order of the file's list.
  std::vector<KerasLayer> layers = {};
  /// The group between the layer and the model in it: "/layer" for TimeDistributed around a model.
  std::string inner = {};

  /// The place, in strata's model, of the layer that has its weights; nothing for a model.
  std::optional<std::size_t> place = {};
  /// With what the names of its parameters begin there, where the layer lies within another one.
  std::string prefix = {};
  /// That layer, or the one within a Residual.
  LayerDescription description = {};
  /// The parts of a trainable layer that are not trained, such as "forward".
  std::vector<std::string> frozen_parts = {};

  /// Whether a parameter is of one of these parts.
  [[nodiscard]] bool freezes(const std::string& parameter) const {
    return detail::any_of(frozen_parts, [&](const std::string& part) {
      return part.empty() || parameter.starts_with(prefix + part + ".");
    });
  }
};

/// Calls f(layer, trainable) for each layer of the tree that is no model. A layer within a model
/// that is not trainable is not trainable either.
template <class Layer, class F>
void for_each_leaf(Layer& tree, F f, bool trainable = true) {
  trainable = trainable && tree.is_trainable;
  if (tree.place) f(tree, trainable);
  for (auto& layer : tree.layers) for_each_leaf(layer, f, trainable);
}

/// The rules that freeze, in a built network, what Keras does not train.
template <class Scalar>
[[nodiscard]] detail::ParameterRules keras_rules(const KerasLayer& tree, Network<Scalar>& network) {
  detail::ParameterRules rules;
  const auto names = detail::layer_names(network.layers());
  for_each_leaf(tree, [&](const KerasLayer& layer, bool trainable) {
    const auto freeze = [&](const std::string& part) {
      std::string begin = layer.prefix + part;
      if (begin.ends_with('.')) begin.pop_back();
      for (const auto& parameter : network.layers()[*layer.place].parameters()) {
        const bool is_of_part = begin.empty() || detail::is_named(parameter.name, begin);
        if (!parameter.trainable || !is_of_part) continue;
        const std::string& owner = names[*layer.place];
        return rules.set_trainable(begin.empty() ? owner : owner + "." + begin, false);
      }
    };
    if (!trainable) return freeze("");
    for (const std::string& part : layer.frozen_parts) freeze(part);
  });
  return rules;
}

/// Appends the layer at a place of strata's model to a tree, or those within it.
inline void add_layer_of(const LayerDescription& description, std::size_t place,
                         const std::string& prefix, KerasLayer& tree) {
  if (description.kind == "Residual") {
    return add_layer_of(description.layers[0], place, prefix, tree);
  }
  if (description.kind == "Chain") {
    for (std::size_t i = 0; i < description.layers.size(); ++i) {
      add_layer_of(description.layers[i], place, prefix + std::to_string(i) + ".", tree);
    }
    return;
  }
  KerasLayer layer{description.kind == "ResetBeforeGRU" ? "GRU" : description.kind};
  layer.place = place;
  layer.prefix = prefix;
  layer.description = description;
  tree.layers.push_back(std::move(layer));
}

/// The tree of strata's own layers, for a file that holds weights alone.
template <class Scalar>
[[nodiscard]] KerasLayer keras_layers_of(const Network<Scalar>& network) {
  KerasLayer tree{"Sequential"};
  for (std::size_t i = 0; i < network.size(); ++i) {
    add_layer_of(network.layers()[i].description(), i, "", tree);
  }
  return tree;
}

}  // namespace strata::inline STRATA_RUNTIME::io
