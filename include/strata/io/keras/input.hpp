#pragma once

#include <optional>

#include <strata/io/common/json.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/object.hpp>
#include <strata/layers/input.hpp>
#include <strata/target.hpp>

// The shape of a Keras model's input, wherever the version of Keras wrote it.

namespace strata::inline STRATA_RUNTIME::io {

/// The input from the shape of a batch: (B, T, F), (B, F) or, for an Embedding, (B, T), where null
/// stands for a size that is not fixed. B is not used, since a model takes any batch size.
[[nodiscard]] inline Input input_of_batch(const Json& json, const Where& where) {
  const Json& list = json.is_object() && json.contains("items") ? json["items"] : json;
  Json sample = Json::array();
  for (const Json& size : read_list(list, where)) sample.push_back(size);
  if (sample.empty()) where.expected("the shape of a batch", "()");
  sample.erase(0);
  if (sample.size() == 1 && sample[0].is_null()) return Input(Dynamic);
  return input_of(sample, where);
}

/// The input of an InputLayer.
[[nodiscard]] inline Input read_input_layer(const Json& json, const Where& where) {
  ObjectReader config(json, where);
  const char* const key =
      config.contains("batch_input_shape") ? "batch_input_shape" : "batch_shape";
  Input input = input_of_batch(config.raw(key), config.where(key));
  config.require("sparse", false);
  config.require("ragged", false);
  config.require("optional", false);
  // Any dtype will do: strata keeps ids as whole numbers in the model's scalar.
  config.ignore({"name", "dtype", "trainable"});
  config.finish();
  return input;
}

/// The shape of the input as a layer at the beginning states it: the layer, or the recurrent layer
/// in a Bidirectional, in "batch_input_shape"; a model in its own first layer. Where none of them
/// does, "build_config" has the shape for which the layer was built.
[[nodiscard]] inline std::optional<Input> stated_input(const Json& json, const Where& where) {
  const auto member = [](const Json& object, const char* key) -> const Json* {
    if (!object.is_object() || !object.contains(key) || object[key].is_null()) return nullptr;
    return &object[key];
  };
  const Json* const config = member(json, "config");
  if (!config) return std::nullopt;
  const Json* const kind = member(json, "class_name");
  if (const Json* shape = member(*config, "batch_input_shape")) {
    return input_of_batch(*shape, where.in("batch_input_shape"));
  }
  if (const Json* shape = member(*config, "build_input_shape")) {
    return input_of_batch(*shape, where.in("build_input_shape"));
  }
  const Json* first = kind && *kind == "Bidirectional" ? member(*config, "layer") : nullptr;
  const Json* const layers = config->is_array() ? config : member(*config, "layers");
  if (layers && layers->is_array() && !layers->empty()) first = &(*layers)[0];
  if (first) {
    if (const Json* inner = member(*first, "config"); inner && member(*inner, "batch_shape")) {
      return input_of_batch((*inner)["batch_shape"], where.in("batch_shape"));
    }
    if (auto input = stated_input(*first, where)) return input;
  }
  const Json* const build = member(json, "build_config");
  const Json* const shape = build ? member(*build, "input_shape") : nullptr;
  if (!shape) return std::nullopt;
  return input_of_batch(*shape, where.in("build_config"));
}

}  // namespace strata::inline STRATA_RUNTIME::io
