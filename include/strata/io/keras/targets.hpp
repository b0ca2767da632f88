#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/layer_tree.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Where an array of a file goes.
template <class Scalar>
struct KerasTarget {
  Parameter<Scalar> parameter;
  /// Whether Keras trains it.
  bool is_trained = true;
  /// Whether the parameter has a number for each feature, where Keras may have one for all, or one
  /// for each step and feature.
  bool is_of_features = false;
  /// The layer and the parameter, for messages.
  Where layer;
  Where where;
};

/// New numbers for all parameters of a network, which are given to it together at the end.
template <class Scalar>
class KerasTargets {
 public:
  /// Throws FormatError where a layer with parameters is none that Keras has.
  KerasTargets(const Network<Scalar>& network, const KerasLayer& tree, const Where& where)
      : weights_(static_cast<std::size_t>(network.parameter_count())) {
    std::span<Scalar> rest = weights_;
    for (std::size_t i = 0; i < network.size(); ++i) {
      const auto& layer = network.layers()[i];
      places_.push_back({where_layer(where, i, layer.kind()), {}, {}});
      for (const auto& one : layer.parameters()) {
        places_.back().parameters.push_back(
            {one.name, one.shape, rest.first(one.values.size()), one.trainable});
        places_.back().is_known.push_back(false);
        rest = rest.subspan(one.values.size());
      }
    }
    for_each_leaf(tree, [&](const KerasLayer& layer, bool) {
      Place& place = places_[*layer.place];
      for (std::size_t i = 0; i < place.parameters.size(); ++i) {
        if (!place.parameters[i].name.starts_with(layer.prefix)) continue;
        if (!is_known(layer.description)) {
          place.where.refuse("Keras has no such layer as " + layer.description.kind);
        }
        place.is_known[i] = true;
      }
    });
    for (const Place& place : places_) {
      const bool is_all_known = !detail::contains(place.is_known, false);
      if (!is_all_known) place.where.refuse("Keras has no such layer");
    }
  }

  /// The parameters of a layer, or of all layers of a model, in their order.
  [[nodiscard]] std::vector<KerasTarget<Scalar>> of(const KerasLayer& tree) const {
    std::vector<KerasTarget<Scalar>> list;
    for_each_leaf(tree, [&](const KerasLayer& layer, bool is_trained) {
      const Place& place = places_[*layer.place];
      const std::string& kind = innermost(layer.description).kind;
      const bool is_of_features = kind == "PReLU" || kind == "Normalization";
      for (const auto& parameter : place.parameters) {
        if (!parameter.name.starts_with(layer.prefix)) continue;
        list.push_back({parameter,
                        is_trained && parameter.trainable && !layer.freezes(parameter.name),
                        is_of_features, place.where, place.where.in(parameter.name)});
      }
    });
    return list;
  }

  [[nodiscard]] const std::vector<Scalar>& weights() const noexcept { return weights_; }

 private:
  struct Place {
    Where where;
    std::vector<Parameter<Scalar>> parameters;
    /// Of each parameter, whether it is of a layer that Keras has.
    std::vector<bool> is_known;
  };

  [[nodiscard]] static const LayerDescription& innermost(const LayerDescription& layer) {
    return layer.layers.empty() ? layer : innermost(layer.layers[0]);
  }

  /// Whether Keras has a layer of this kind, or of the kind within it, with weights.
  [[nodiscard]] static bool is_known(const LayerDescription& layer) {
    constexpr std::array<std::string_view, 11> known = {
        "BatchNormalization", "Conv1D",        "Dense", "Embedding",      "GRU",      "LSTM",
        "LayerNormalization", "Normalization", "PReLU", "ResetBeforeGRU", "SimpleRNN"};
    return detail::contains(known, innermost(layer).kind);
  }

  std::vector<Scalar> weights_;
  std::vector<Place> places_;
};

/// An array of Keras as one number for each of F features. The array has a number for each feature
/// or one for all, and the same ones for each step where it has steps. Throws FormatError on other
/// sizes, and where steps differ.
[[nodiscard]] inline Numbers for_features(const ArrayView& array, Index features,
                                          const Where& where) {
  const Numbers numbers = numbers_of(array, where);
  const auto width = static_cast<std::size_t>(numbers.back());
  const auto count = static_cast<std::size_t>(features);
  if (numbers.values.empty() || (width != 1 && width != count)) {
    where.expected(sizes_text({features}), sizes_text(numbers.shape));
  }
  for (std::size_t i = width; i < numbers.values.size(); ++i) {
    if (numbers.values[i] == numbers.values[i - width]) continue;
    where.refuse("has the sizes " + sizes_text(numbers.shape) +
                 " and other numbers for each step; strata has one for each feature, as Keras has "
                 "with shared_axes=[1]");
  }
  Numbers result{{features}, {}};
  for (std::size_t i = 0; i < count; ++i)
    result.values.push_back(numbers.values[width == 1 ? 0 : i]);
  return result;
}

}  // namespace strata::inline STRATA_RUNTIME::io
