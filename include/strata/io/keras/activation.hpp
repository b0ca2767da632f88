#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/numbers.hpp>
#include <strata/io/keras/object.hpp>
#include <strata/io/keras/version.hpp>
#include <strata/target.hpp>

// Keras' activations: names, and layers that stand for an activation with settings.

namespace strata::inline STRATA_RUNTIME::io {

/// What a setting "activation" comes to.
struct KerasActivation {
  /// The name of strata's Activation, "linear" where a layer of its own computes it.
  std::string name = "linear";
  /// The layer that computes an activation with settings which no name stands for.
  std::optional<LayerDescription> layer = {};
};

/// The activation that a layer of activations comes to. An Activation has a name, and so have ReLU
/// and ELU with the settings of some names.
[[nodiscard]] inline KerasActivation activation_of_layer(LayerDescription layer) {
  if (layer.kind != "Activation") return {"linear", std::move(layer)};
  return {*layer.find<std::string>("activation")};
}

/// strata's name of an activation of Keras. Throws FormatError, with the names of all activations,
/// on one that strata does not have.
[[nodiscard]] inline std::string activation_name(const std::string& text, KerasVersion version,
                                                 const Where& where) {
  if (text == "swish") return "silu";
  // Before Keras 3 a line of the slope 1/5, since then of 1/6.
  if (text == "hard_sigmoid" && version.major < 3) return "hard_sigmoid_fifth";
  // Two that are strata's names alone.
  if (text == "hard_sigmoid_fifth" || text == "gelu_tanh") {
    where.expected("an activation of Keras", in_quotes(text));
  }
  return std::string(name(activation_of(text, where)));
}

/// Keras' ReLU, LeakyReLU, ELU, Softmax and Activation; `config` is read, but not finished. Nothing
/// for other classes.
[[nodiscard]] inline std::optional<LayerDescription> read_activation_layer(
    const std::string& class_name, ObjectReader& config, KerasVersion version);

/// The activation in a setting; linear for null. Throws FormatError on an activation that strata
/// does not have.
[[nodiscard]] inline KerasActivation read_activation(ObjectReader& config, const char* key,
                                                     KerasVersion version) {
  const Json& value = config.raw(key);
  const Where where = config.where(key);
  if (value.is_null()) return {};
  if (!value.is_object()) return {activation_name(read_string(value, where), version, where)};
  if (value.contains("class_name") && value["class_name"] == "function") {
    where.refuse("is a function of a user's own, of which the file has the name alone");
  }
  const KerasObject object = KerasObject::of(value, where);
  const Where here = where.in(object.class_name);
  if (object.class_name == "PReLU") {
    here.refuse("has weights of its own: put the layer PReLU behind this one");
  }
  ObjectReader inner(*object.config, here);
  read_common(inner);
  auto layer = read_activation_layer(object.class_name, inner, version);
  if (!layer) {
    where.expected("an activation of Keras", "the class " + in_quotes(object.class_name));
  }
  inner.finish();
  return activation_of_layer(std::move(*layer));
}

/// The activation in a setting of a recurrent layer, which computes it within its steps. Throws
/// FormatError as read_activation does, and on an activation with settings.
[[nodiscard]] inline std::string read_cell_activation(ObjectReader& config, const char* key,
                                                      KerasVersion version) {
  const KerasActivation activation = read_activation(config, key, version);
  if (activation.layer) {
    config.where(key).expected("an activation without settings, by its name",
                               activation.layer->kind + " with settings");
  }
  return activation.name;
}

[[nodiscard]] inline LayerDescription named_activation(const char* activation) {
  return LayerDescription{"Activation"}.add("activation", std::string(activation));
}

/// The largest value of a ReLU that has none.
inline constexpr double unbounded_relu = std::numeric_limits<double>::infinity();

/// The layer max(x, 0) with Keras' settings, as an Activation where a name stands for them.
[[nodiscard]] inline LayerDescription relu_layer(double max_value, double slope, double threshold) {
  const bool bounded = max_value != unbounded_relu;
  if (threshold == 0 && slope == 0 && !bounded) return named_activation("relu");
  if (threshold == 0 && slope == 0 && max_value == 6) return named_activation("relu6");
  if (threshold == 0 && slope == 0.2 && !bounded) return named_activation("leaky_relu");
  LayerDescription layer{"ReLU"};
  if (bounded) layer.add("max_value", max_value);
  return layer.add("negative_slope", slope).add("threshold", threshold);
}

inline std::optional<LayerDescription> read_activation_layer(const std::string& class_name,
                                                             ObjectReader& config,
                                                             KerasVersion version) {
  if (class_name == "Activation") {
    KerasActivation activation = read_activation(config, "activation", version);
    if (activation.layer) return activation.layer;
    return named_activation(activation.name.c_str());
  }
  if (class_name == "ReLU") {
    const Json* const most = config.find("max_value");
    const double max_value = !most || most->is_null()
                                 ? unbounded_relu
                                 : keras_number(config, "max_value", unbounded_relu);
    const double slope = keras_number(config, "negative_slope", 0);
    return relu_layer(max_value, slope, keras_number(config, "threshold", 0));
  }
  if (class_name == "LeakyReLU") {
    // Keras 2 calls the slope alpha.
    const char* const key = config.contains("alpha") ? "alpha" : "negative_slope";
    return relu_layer(unbounded_relu, keras_number(config, key, 0.3), 0);
  }
  if (class_name == "ELU") {
    const double alpha = keras_number(config, "alpha", 1);
    if (alpha == 1) return named_activation("elu");
    return LayerDescription{"ELU"}.add("alpha", alpha);
  }
  if (class_name == "Softmax") {
    const Json* const axis = config.find("axis");
    if (axis && *axis != Json(-1)) config.where("axis").expected("-1", axis->dump());
    return named_activation("softmax");
  }
  return std::nullopt;
}

}  // namespace strata::inline STRATA_RUNTIME::io
