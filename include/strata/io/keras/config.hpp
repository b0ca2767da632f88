#pragma once

#include <optional>
#include <string>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/chain.hpp>
#include <strata/io/keras/layers.hpp>
#include <strata/io/keras/object.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/layers/input.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads the config of a Keras model: a Sequential, or a functional model whose layers are a chain.
class KerasConfig {
 public:
  KerasConfig(KerasVersion version, Where where) : layers_(version), where_(std::move(where)) {}

  /// Throws FormatError, naming its place, on each setting or layer that strata does not have.
  [[nodiscard]] Architecture read(const Json& json) const {
    const KerasObject model = KerasObject::of(json, where_);
    const Where where = where_.in(model.class_name);
    ObjectReader config(*model.config, where);
    read_common(config);
    const Json& layers = read_list(config.raw("layers"), where.in("layers"));
    std::vector<const Json*> chain;
    Architecture architecture;
    if (model.class_name == "Sequential") {
      for (const Json& layer : layers) chain.push_back(&layer);
      if (const Json* shape = config.find("build_input_shape"); shape && !shape->is_null()) {
        architecture.input = input_of_batch(*shape, config.where("build_input_shape"));
      }
    } else if (model.class_name == "Functional" || model.class_name == "Model") {
      chain = KerasChain(config, layers, where).layers();
    } else {
      where.expected("a Sequential or a functional model", in_quotes(model.class_name));
    }
    config.finish();
    read_layers(chain, architecture, where);
    return architecture;
  }

 private:
  void read_layers(const std::vector<const Json*>& layers, Architecture& architecture,
                   const Where& where) const {
    Index rank = 0;
    for (const Json* layer : layers) {
      const Json& json = *layer;
      const std::size_t i = architecture.layers.size();
      const Where unnamed = where.in("layer " + std::to_string(i));
      const KerasObject object = KerasObject::of(json, unnamed);
      const Where here = where.in("layer " + std::to_string(i) + " (" + object.class_name + ", " +
                                  in_quotes(object.name) + ")");
      if (object.class_name == "InputLayer") {
        if (i > 0 || rank > 0) here.refuse("is not at the beginning");
        architecture.input = read_input_layer(*object.config, here);
      } else if (i == 0) {
        if (const auto input = own_input(json, object, here, !architecture.input)) {
          architecture.input = input;
        }
      }
      if (!architecture.input) {
        here.refuse(
            "the shape of the model's input is not known: build the model before it is saved");
      }
      if (rank == 0) rank = architecture.input->shape().rank();
      if (object.class_name == "InputLayer") continue;
      architecture.layers.push_back(layers_.read(object, rank, here));
    }
  }

  [[nodiscard]] static Input read_input_layer(const Json& json, const Where& where) {
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

  /// The shape of the input as the first layer states it, for models without an InputLayer.
  /// `needed`: whether nothing else has given the shape, so that build_config may give it.
  [[nodiscard]] static std::optional<Input> own_input(const Json& json, const KerasObject& object,
                                                      const Where& where, bool needed) {
    if (object.config->is_object() && object.config->contains("batch_input_shape")) {
      return input_of_batch((*object.config)["batch_input_shape"], where.in("batch_input_shape"));
    }
    if (!needed || !json.contains("build_config")) return std::nullopt;
    const Json& build = json["build_config"];
    if (!build.is_object() || !build.contains("input_shape")) return std::nullopt;
    return input_of_batch(build["input_shape"], where.in("build_config"));
  }

  /// The input from the shape of a batch: (B, T, F), (B, F) or, for an Embedding, (B, T), where
  /// null stands for a size that is not fixed. B is not used, since a model takes any batch size.
  [[nodiscard]] static Input input_of_batch(const Json& json, const Where& where) {
    const Json& list = json.is_object() && json.contains("items") ? json["items"] : json;
    Json sample = Json::array();
    for (const Json& size : read_list(list, where)) sample.push_back(size);
    if (sample.empty()) where.expected("the shape of a batch", "()");
    sample.erase(0);
    if (sample.size() == 1 && sample[0].is_null()) return Input(Dynamic);
    return input_of(sample, where);
  }

  KerasLayers layers_;
  Where where_;
};

/// The architecture in the JSON that Keras writes for a model. Throws FormatError where the text is
/// not JSON, and where KerasConfig::read does.
[[nodiscard]] inline Architecture keras_architecture(std::string_view text, KerasVersion version,
                                                     const Where& where) {
  return KerasConfig(version, where).read(parse_json(text, where));
}

}  // namespace strata::inline STRATA_RUNTIME::io
