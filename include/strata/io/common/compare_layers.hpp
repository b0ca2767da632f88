#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/description_json.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

// Whether the layers of two models predict the same, given the same weights.

namespace strata::inline STRATA_RUNTIME::io {

/// Whether an option changes training alone: dropout, initializers and the like.
[[nodiscard]] inline bool is_of_training(std::string_view name, const OptionValue& value) {
  constexpr std::string_view names[] = {"dropout", "recurrent_dropout", "unit_forget_bias",
                                        "momentum"};
  for (const std::string_view known : names) {
    if (name == known) return true;
  }
  return value.get_if<Initializer>() != nullptr;
}

/// Whether a layer changes training alone: in a prediction it passes its input on.
[[nodiscard]] inline bool is_of_training(const LayerDescription& layer) {
  return layer.kind == "Dropout" || layer.kind == "GaussianNoise";
}

[[nodiscard]] inline Json comparable(const OptionValue& value) {
  return value.visit([](const auto& one) -> Json {
    if constexpr (std::is_same_v<std::decay_t<decltype(one)>, Initializer>) {
      return to_json(one);
    } else {
      return one;
    }
  });
}

/// Throws FormatError, naming layer and option, unless a file and a model have the same layers with
/// the same options. Layers and options that only training uses may differ.
inline void require_same_layers(const std::vector<LayerDescription>& of_file,
                                const std::vector<LayerDescription>& of_model, const Where& where);

inline void require_same_layer(const LayerDescription& of_file, const LayerDescription& of_model,
                               const Where& where) {
  if (of_file.kind != of_model.kind) where.expected(of_model.kind, of_file.kind);
  // An option that only the model has is not compared: the file says nothing of it.
  for (const auto& [name, value] : of_model.options) {
    if (is_of_training(name, value)) continue;
    const auto* found = of_file.find(name);
    if (!found) continue;
    const Json expected = comparable(value);
    const Json in_file = comparable(*found);
    if (expected != in_file) where.in(name).expected(expected.dump(), in_file.dump());
  }
  for (const auto& [name, value] : of_file.options) {
    if (!of_model.find(name) && !is_of_training(name, value)) {
      where.in(in_quotes(name)).refuse("the model's layer has no such option");
    }
  }
  require_same_layers(of_file.layers, of_model.layers, where);
}

inline void require_same_layers(const std::vector<LayerDescription>& of_file,
                                const std::vector<LayerDescription>& of_model, const Where& where) {
  const auto used = [](const std::vector<LayerDescription>& layers) {
    std::vector<const LayerDescription*> list;
    for (const auto& layer : layers) {
      if (!is_of_training(layer)) list.push_back(&layer);
    }
    return list;
  };
  const auto file_layers = used(of_file);
  const auto model_layers = used(of_model);
  if (file_layers.size() != model_layers.size()) {
    where.expected("the model's " + std::to_string(model_layers.size()) + " layers",
                   std::to_string(file_layers.size()));
  }
  for (std::size_t i = 0; i < file_layers.size(); ++i) {
    require_same_layer(*file_layers[i], *model_layers[i],
                       where.in("layer " + std::to_string(i) + " (" + model_layers[i]->kind + ")"));
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
