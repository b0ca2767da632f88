#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/error.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/chain.hpp>
#include <strata/io/torch/find_modules.hpp>
#include <strata/io/torch/layers.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/io/torch/order.hpp>
#include <strata/io/torch/select.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

// Finds the layers of a given model that the modules of a state_dict are.

namespace strata::inline STRATA_RUNTIME::io {

/// Completes the description of a file's layer by the model's layer, where a state_dict is silent:
/// activations of Dense, Conv1D and SimpleRNN, padding and dilation, whether sequences are
/// returned, the treatment of masks, the epsilon of normalizations, and a Residual or
/// TimeDistributed around the layer.
inline void adapt_to_model(LayerDescription& of_file, const LayerDescription& of_model) {
  const auto is_around = [](const LayerDescription& layer) {
    return layer.kind == "Residual" || layer.kind == "TimeDistributed";
  };
  if (is_around(of_model) && !is_around(of_file)) {
    LayerDescription inner = std::move(of_file);
    of_file = LayerDescription(of_model.kind).add_layer(std::move(inner));
  }
  const bool has_activation =
      of_file.kind == "Dense" || of_file.kind == "SimpleRNN" || of_file.kind == "Conv1D";
  for (auto& [name, value] : of_file.options) {
    if (name != "return_sequences" && name != "mask_zero" && name != "zero_output_for_mask" &&
        name != "epsilon" && name != "padding" && name != "dilation_rate" &&
        (name != "activation" || !has_activation)) {
      continue;
    }
    if (const auto* found = of_model.find(name)) value = *found;
  }
  for (std::size_t i = 0; i < (std::min)(of_file.layers.size(), of_model.layers.size()); ++i) {
    adapt_to_model(of_file.layers[i], of_model.layers[i]);
  }
}

/// The layers of a model that have weights, those of a Chain or of a Residual around one each by
/// itself: the layers that modules become.
template <class S>
class TorchPlaces {
 public:
  /// What must match of a layer: its description and the shapes of its parameters.
  struct Signature {
    LayerDescription description;
    std::vector<Shape> shapes;
  };

  explicit TorchPlaces(const Network<S>& network) {
    const auto all = network.parameters();
    auto parameter = all.begin();
    for (const auto& layer : network.layers()) {
      const std::size_t count = layer.parameters().size();
      if (count == 0) continue;
      Group group{layer.description(), places_.size(), {}};
      std::vector<Shape> shapes;
      std::vector<std::string> names;
      for (const auto& one : layer.parameters()) names.push_back(one.name);
      for (std::size_t i = 0; i < count; ++i, ++parameter) shapes.push_back(parameter->shape);
      if (const LayerDescription* chain = chain_of(std::as_const(group.description))) {
        for (std::size_t i = 0; i < chain->layers.size(); ++i) {
          Signature one{chain->layers[i], {}};
          for (std::size_t k = 0; k < count; ++k) {
            if (names[k].starts_with(std::to_string(i) + ".")) one.shapes.push_back(shapes[k]);
          }
          if (one.shapes.empty()) continue;
          places_.push_back(std::move(one));
          group.in_chain.push_back(i);
        }
      } else {
        places_.push_back({group.description, std::move(shapes)});
      }
      groups_.push_back(std::move(group));
    }
  }

  [[nodiscard]] const std::vector<Signature>& places() const noexcept { return places_; }

  /// Joins the layers of modules as the model has them. Throws FormatError unless there is one for
  /// each place.
  [[nodiscard]] std::vector<FileLayer<S>> joined(std::vector<FileLayer<S>> layers,
                                                 const Where& where) const {
    if (layers.size() != places_.size()) {
      where.expected("the model's " + std::to_string(places_.size()) + " layers with weights",
                     std::to_string(layers.size()));
    }
    std::vector<FileLayer<S>> joined;
    for (const Group& group : groups_) {
      if (group.in_chain.empty()) {
        joined.push_back(std::move(layers[group.first]));
        continue;
      }
      // What has no weights is the model's.
      FileLayer<S> whole{group.description};
      LayerDescription* const chain = chain_of(whole.description);
      for (std::size_t i = 0; i < group.in_chain.size(); ++i) {
        FileLayer<S>& layer = layers[group.first + i];
        const std::size_t at = group.in_chain[i];
        chain->layers[at] = std::move(layer.description);
        for (auto& one : layer.parameters) {
          one.name = std::to_string(at) + "." + one.name;
          whole.parameters.push_back(std::move(one));
        }
      }
      joined.push_back(std::move(whole));
    }
    return joined;
  }

 private:
  /// A layer of the model.
  struct Group {
    LayerDescription description;
    /// The first of its places.
    std::size_t first;
    /// The layers with weights of its Chain; empty where it has none.
    std::vector<std::size_t> in_chain;
  };

  /// Null where a layer is neither a Chain nor a Residual around one.
  template <class Description>
  [[nodiscard]] static Description* chain_of(Description& layer) {
    Description& inner =
        layer.kind == "Residual" && layer.layers.size() == 1 ? layer.layers[0] : layer;
    return inner.kind == "Chain" ? &inner : nullptr;
  }

  std::vector<Signature> places_;
  std::vector<Group> groups_;
};

/// Compares the layers of modules with the layers of a model that have weights, at every place of
/// the model.
template <class S>
class TorchMatch {
  using Signature = typename TorchPlaces<S>::Signature;

 public:
  /// `layers` are those of each module, as TorchLayers makes them; `later` those of a module that
  /// is another where it is not the first, and none of the other modules.
  TorchMatch(const std::vector<std::vector<FileLayer<S>>>& layers,
             const std::vector<std::vector<FileLayer<S>>>& later,
             const std::vector<Signature>& wanted) {
    of_model_ = wanted.size();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      Fits fits{layers[i].size(), std::vector<bool>(wanted.size())};
      const std::vector<Signature> first = signatures(layers[i]);
      const std::vector<Signature> others = later[i].empty() ? first : signatures(later[i]);
      for (std::size_t at = 0; at + first.size() <= wanted.size(); ++at) {
        const std::vector<Signature>& found = at == 0 ? first : others;
        bool all = true;
        for (std::size_t k = 0; all && k < found.size(); ++k) all = fit(found[k], wanted[at + k]);
        fits.at[at] = all;
      }
      fits_.push_back(std::move(fits));
    }
  }

  /// Whether the modules together have as many layers as the model has layers with weights.
  [[nodiscard]] bool has_all_layers() const {
    std::size_t layers = 0;
    for (const Fits& fits : fits_) layers += fits.layers;
    return layers == of_model_;
  }

  /// The orders in which the layers of the modules match the layers of the model.
  [[nodiscard]] TorchOrders orders(const std::vector<TorchModule>& modules) const {
    const bool all = has_all_layers();
    return TorchOrders(modules, [&](const TorchOrders::Order& order, std::size_t next) {
      std::size_t at = 0;
      for (const std::size_t i : order) at += fits_[i].layers;
      return all && fits_[next].at[at];
    });
  }

  /// How many modules match the model's layers at their places, if they run in this order.
  [[nodiscard]] std::size_t count(const TorchOrders::Order& order) const {
    std::size_t at = 0;
    std::size_t fitting = 0;
    for (const std::size_t i : order) {
      if (at < of_model_ && fits_[i].at[at]) ++fitting;
      at += fits_[i].layers;
    }
    return fitting;
  }

 private:
  /// The places of the model at which a module matches.
  struct Fits {
    /// How many layers the module has.
    std::size_t layers;
    /// at[j]: whether the module's layers match the model's from layer j on, counted among the
    /// layers with weights.
    std::vector<bool> at;
  };

  [[nodiscard]] static std::vector<Signature> signatures(const std::vector<FileLayer<S>>& layers) {
    std::vector<Signature> found;
    for (const auto& layer : layers) {
      Signature one{layer.description, {}};
      for (const auto& each : layer.parameters) one.shapes.push_back(each.shape);
      found.push_back(std::move(one));
    }
    return found;
  }

  [[nodiscard]] static bool fit(const Signature& of_file, const Signature& of_model) {
    if (of_file.shapes != of_model.shapes) return false;
    LayerDescription found = of_file.description;
    adapt_to_model(found, of_model.description);
    try {
      require_same_layer(found, of_model.description, Where(""));
    } catch (const FormatError&) {
      return false;
    }
    return true;
  }

  std::size_t of_model_ = 0;
  std::vector<Fits> fits_;
};

/// Gives each nn.PReLU of one number the features of the model's PReLU. Throws FormatError where
/// the model has none, or several of different sizes.
template <class Scalar>
void give_prelu_features(std::vector<TorchModule>& modules, const Network<Scalar>& network,
                         const Where& where) {
  std::set<Index> sizes;
  for (const auto& layer : network.layers()) {
    if (layer.kind() == "PReLU") sizes.insert(layer.inputs());
  }
  for (auto& module : modules) {
    if (module.inputs != Dynamic) continue;
    if (sizes.size() != 1) {
      where.in(in_quotes(module.name))
          .refuse(std::string("an nn.PReLU of one number, but the model has ") +
                  (sizes.empty() ? "no PReLU" : "PReLU layers of different sizes"));
    }
    module.inputs = module.units = *sizes.begin();
  }
}

template <class Scalar>
[[nodiscard]] bool begins_with_embedding(const Network<Scalar>& network) {
  for (const auto& layer : network.layers()) {
    if (layer.parameters().size() > 0) return layer.kind() == "Embedding";
  }
  return false;
}

/// The layers of the modules, with their weights, in the order of a model's layers with weights.
/// Throws FormatError when the modules match the model in several orders. When they match in none,
/// returns them in the order in which most modules match, so that the comparison that follows names
/// the difference.
template <class Scalar>
[[nodiscard]] std::vector<FileLayer<Scalar>> layers_for(TorchStateDict& state,
                                                        TorchLayers<FileLayer<Scalar>>& make,
                                                        const Network<Scalar>& network,
                                                        const PyTorchOptions& options) {
  const Where& where = state.arrays.where();
  std::vector<TorchModule> modules = find_torch_modules(state, options);
  if (modules.empty()) where.refuse("has no tensors");
  const bool named = !options.modules.empty();
  // Whether a matrix without a bias is an embedding's, the model knows.
  if (!begins_with_embedding(network)) {
    modules = as_linear(modules);
  } else if (!have_embedding(modules)) {
    modules = as_embeddings(modules);
  }
  if (named) {
    TorchChain chain = named_chain(std::move(modules), options, where);
    modules.clear();
    for (auto& link : chain.links) modules.push_back(std::move(link.module));
  }
  give_prelu_features(modules, network, where);
  const TorchPlaces<Scalar> places(network);
  std::vector<std::vector<FileLayer<Scalar>>> layers, later;
  for (const auto& module : modules) {
    layers.push_back(make.of(module));
    later.emplace_back();
    const TorchModule linear = module.as_linear();
    if (!named && linear.kind != module.kind) later.back() = make.of(linear);
  }
  TorchOrders::Order order(modules.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!named) {
    const TorchMatch<Scalar> match(layers, later, places.places());
    const TorchOrders orders = match.orders(modules);
    const bool one = orders.found().size() == 1 && orders.are_all();
    if (!orders.found().empty() && !one)
      refuse_orders(modules, orders, where, ", model", false, options.without);
    if (orders.gave_up()) where.refuse(too_many_orders);
    if (one) {
      order = orders.found()[0];
    } else {
      // No order matches. The one with the most matches makes for the clearest message.
      const TorchOrders by_sizes = TorchOrders::by_sizes(modules);
      if (!by_sizes.found().empty()) order = by_sizes.found()[0];
      for (const auto& other : by_sizes.found()) {
        if (match.count(other) > match.count(order)) order = other;
      }
      if (match.has_all_layers() && match.count(order) == modules.size()) {
        where.refuse(
            "its modules are the layers of the model only against the numbers in their names; name "
            "them in their order by .modules");
      }
    }
  }
  require_inputs(in_order(modules, order), options, where);
  std::vector<FileLayer<Scalar>> ordered;
  for (const std::size_t i : order) {
    for (auto& layer : ordered.empty() || later[i].empty() ? layers[i] : later[i]) {
      ordered.push_back(std::move(layer));
    }
  }
  return places.joined(std::move(ordered), where);
}

}  // namespace strata::inline STRATA_RUNTIME::io
