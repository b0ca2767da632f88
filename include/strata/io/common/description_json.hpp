#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/initializers.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

// Descriptions of layers as JSON, which the metadata of strata's own files hold:
//
//   {"kind": "Dense", "options": {"units": 1, "activation": "linear", ...}}
//   {"kind": "Residual", "layers": [{"kind": "LSTM", "options": {...}}]}

namespace strata::inline STRATA_RUNTIME::io {

/// The names of the initializers, in the order of the variant.
inline constexpr const char* initializer_names[] = {
    "Zeros",        "Ones",      "Constant", "RandomUniform", "RandomNormal", "GlorotUniform",
    "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform",  "LecunNormal",  "Orthogonal"};
static_assert(std::size(initializer_names) == std::variant_size_v<Initializer>,
              "strata: an initializer without a name for files");

/// Calls f(name, setting) for each setting of an initializer.
template <class I, class F>
void each_setting(I& initializer, F f) {
  if constexpr (requires { initializer.value; }) f("value", initializer.value);
  if constexpr (requires { initializer.minval; }) f("minval", initializer.minval);
  if constexpr (requires { initializer.maxval; }) f("maxval", initializer.maxval);
  if constexpr (requires { initializer.mean; }) f("mean", initializer.mean);
  if constexpr (requires { initializer.stddev; }) f("stddev", initializer.stddev);
  if constexpr (requires { initializer.gain; }) f("gain", initializer.gain);
}

[[nodiscard]] inline Json to_json(const Initializer& initializer) {
  Json json = {{"name", initializer_names[initializer.index()]}};
  std::visit(
      [&](const auto& one) {
        each_setting(one, [&](const char* name, double value) { json[name] = value; });
      },
      initializer);
  return json;
}

/// Throws FormatError on an unknown name of an initializer, and on settings that this initializer
/// does not have.
[[nodiscard]] inline Initializer initializer_of(const Json& json, const Where& where) {
  ObjectReader reader(json, where);
  const std::string name = reader.get<std::string>("name");
  Initializer found;
  const auto try_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((name == initializer_names[I] && (found.emplace<I>(), true)) || ...);
  };
  if (!try_each(std::make_index_sequence<std::variant_size_v<Initializer>>())) {
    where.in("name").expected("an initializer", in_quotes(name));
  }
  std::visit(
      [&](auto& one) {
        each_setting(one, [&](const char* key, double& value) { value = reader.get<double>(key); });
      },
      found);
  reader.finish();
  return found;
}

/// Whether a layer, and every layer inside it, has a complete description.
[[nodiscard]] inline bool is_complete(const LayerDescription& layer) {
  return layer.complete && std::all_of(layer.layers.begin(), layer.layers.end(), is_complete);
}

/// A layer with the layers inside it. Throws ValueError, naming the layer, when a layer does not
/// describe itself, since load could not make it again.
[[nodiscard]] inline Json to_json(const LayerDescription& layer) {
  if (!layer.complete) {
    throw ValueError("the layer " + layer.kind +
                     " does not say what it is made of, so no file can hold it: give its type a "
                     "function description(), or keep its weights alone with save_weights");
  }
  Json json = {{"kind", layer.kind}};
  for (const auto& [name, value] : layer.options) {
    Json& to = json["options"][name];
    if (const auto* initializer = std::get_if<Initializer>(&value)) {
      to = to_json(*initializer);
    } else {
      std::visit(
          [&to](const auto& one) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(one)>, Initializer>) to = one;
          },
          value);
    }
  }
  for (const auto& inner : layer.layers) json["layers"].push_back(to_json(inner));
  return json;
}

[[nodiscard]] inline LayerDescription::Value option_of(const Json& json, const Where& where) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return read_integer(json, where);
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object()) return initializer_of(json, where);
  const Json& list = read_list(json, where);
  if (std::any_of(list.begin(), list.end(),
                  [](const Json& one) { return one.is_number_float(); })) {
    std::vector<double> numbers;
    for (const Json& one : list) numbers.push_back(read_number(one, where));
    return numbers;
  }
  std::vector<Index> sizes;
  for (const Json& one : list) sizes.push_back(read_integer(one, where));
  return sizes;
}

/// The description that JSON holds, the inverse of to_json. The recursion ends, since parse_json
/// bounds how deep JSON is nested. Throws FormatError on JSON of any other form.
[[nodiscard]] inline LayerDescription description_of(const Json& json, const Where& where) {
  ObjectReader reader(json, where);
  LayerDescription layer{reader.get<std::string>("kind")};
  const Where here = where.in(in_quotes(layer.kind));
  if (const Json* options = reader.find("options")) {
    if (!options->is_object()) here.in("options").expected("an object", found_text(*options));
    for (const auto& [name, value] : options->items()) {
      layer.options.emplace_back(name, option_of(value, here.in(in_quotes(name))));
    }
  }
  if (const Json* layers = reader.find("layers")) {
    for (const Json& inner : read_list(*layers, here.in("layers"))) {
      layer.layers.push_back(description_of(inner, here));
    }
  }
  reader.finish();
  return layer;
}

}  // namespace strata::inline STRATA_RUNTIME::io
