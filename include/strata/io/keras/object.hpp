#pragma once

#include <array>
#include <string>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A model or a layer as Keras writes it: {"class_name": "LSTM", "config": {...}}, with more keys
/// around these two in newer versions.
struct KerasObject {
  std::string class_name;
  /// The name of the layer, or that of its class where the layer has no name.
  std::string name;
  const Json* config = nullptr;

  static constexpr const char* whose_code_is_missing =
      ": the file does not have the code of a class of one's own. Build the same model as a "
      "Sequential or a functional model of Keras' layers, give it the weights by "
      "set_weights(model.get_weights()), and save that";

  /// A model, whose config lists its layers.
  [[nodiscard]] bool is_model() const {
    return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
  }
  /// "trainable" of the config. Throws FormatError where it is no bool.
  [[nodiscard]] bool is_trainable(const Where& where) const {
    if (!config->is_object() || !config->contains("trainable")) return true;
    return read_bool((*config)["trainable"], where.in("trainable"));
  }

  /// Throws FormatError on classes that do not come from Keras.
  [[nodiscard]] static KerasObject of(const Json& json, const Where& where) {
    ObjectReader reader(json, where);
    KerasObject object{reader.get<std::string>("class_name"), "", &reader.raw("config")};
    object.name = object.class_name;
    const Where here = where.in(object.class_name);
    if (object.config->is_object() && object.config->contains("name")) {
      object.name = read_string((*object.config)["name"], here.in("name"));
    }
    if (const Json* module = reader.find("module"); module && !module->is_null()) {
      const std::string& text = read_string(*module, here.in("module"));
      // tf_keras is Keras 2 beside TensorFlow 2.16 and later.
      if (text != "keras" && !text.starts_with("keras.") && !text.starts_with("tf_keras")) {
        here.in("module").expected("a class of Keras", in_quotes(text) + whose_code_is_missing);
      }
    }
    if (const Json* registered = reader.find("registered_name");
        registered && !registered->is_null() && *registered != Json(object.class_name)) {
      here.in("registered_name")
          .expected("a class of Keras", found_text(*registered) + whose_code_is_missing);
    }
    // The sizes in build_config follow from the input, compile_config is for training, and
    // KerasChain reads inbound_nodes. The other keys name the object and the Keras that wrote it.
    reader.ignore({"build_config", "compile_config", "name", "inbound_nodes", "shared_object_id",
                   "keras_version", "backend"});
    reader.finish();
    return object;
  }
};

/// Throws FormatError: the layer has weights of few bits.
[[noreturn]] inline void refuse_quantized(const Where& where, const std::string& found) {
  where.refuse("the layer is quantized (" + found +
               "), and strata reads the model from before it was quantized: save it before "
               "model.quantize");
}

/// Reads the settings that the configs of all layers have. strata computes in the scalar of the
/// model, in whichever floating-point type Keras computed; other types are refused, since with them
/// the layer would compute something else.
inline void read_common(ObjectReader& config) {
  // Penalties change training alone. KerasModelReader reads "trainable" and the shape of the input.
  config.ignore({"name", "trainable", "batch_input_shape", "activity_regularizer"});
  const Json* type = config.find("dtype");
  if (!type || type->is_null()) return;
  const Where where = config.where("dtype");
  std::string name;
  if (type->is_object()) {
    ObjectReader policy(*type, where);
    const std::string kind = policy.get<std::string>("class_name");
    const bool is_plain = kind == "DTypePolicy" || kind == "Policy";
    if (!is_plain && kind.ends_with("DTypePolicy")) refuse_quantized(where, kind);
    if (!is_plain) where.expected("a DTypePolicy", in_quotes(kind));
    policy.ignore({"module", "registered_name", "shared_object_id"});
    ObjectReader inner = policy.object("config");
    name = inner.get<std::string>("name");
    inner.finish();
    policy.finish();
  } else {
    name = read_string(*type, where);
  }
  constexpr std::array known = {"float16", "bfloat16",      "float32",
                                "float64", "mixed_float16", "mixed_bfloat16"};
  for (const char* one : known) {
    if (name == one) return;
  }
  if (name.find("_from_") != std::string::npos) refuse_quantized(where, name);
  where.expected("a floating-point type", in_quotes(name));
}

}  // namespace strata::inline STRATA_RUNTIME::io
