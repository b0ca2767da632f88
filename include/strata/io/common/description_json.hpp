#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <type_traits>
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

/// An initializer as files have it.
struct InitializerKind {
  const char* name;
  /// The names of its settings; null where it has fewer.
  std::array<const char*, 2> settings = {};
};

/// In the order of Initializer::Kind.
inline constexpr InitializerKind initializer_kinds[] = {{"Zeros"},
                                                        {"Ones"},
                                                        {"Constant", {"value"}},
                                                        {"RandomUniform", {"minval", "maxval"}},
                                                        {"RandomNormal", {"mean", "stddev"}},
                                                        {"GlorotUniform"},
                                                        {"GlorotNormal"},
                                                        {"HeUniform"},
                                                        {"HeNormal"},
                                                        {"LecunUniform"},
                                                        {"LecunNormal"},
                                                        {"Orthogonal", {"gain"}}};
static_assert(std::size(initializer_kinds) ==
                  static_cast<std::size_t>(Initializer::Kind::orthogonal) + 1,
              "strata: an initializer without a name for files");

[[nodiscard]] inline Json to_json(const Initializer& initializer) {
  const InitializerKind& kind = initializer_kinds[static_cast<std::size_t>(initializer.kind())];
  Json json = {{"name", kind.name}};
  for (std::size_t i = 0; i < kind.settings.size(); ++i) {
    if (kind.settings[i]) json[kind.settings[i]] = initializer.settings()[i];
  }
  return json;
}

/// Throws FormatError on an unknown name of an initializer, and on settings that this initializer
/// does not have.
[[nodiscard]] inline Initializer initializer_of(const Json& json, const Where& where) {
  ObjectReader reader(json, where);
  const std::string name = reader.get<std::string>("name");
  for (std::size_t k = 0; k < std::size(initializer_kinds); ++k) {
    const InitializerKind& kind = initializer_kinds[k];
    if (name != kind.name) continue;
    std::array<double, 2> settings{};
    for (std::size_t i = 0; i < settings.size(); ++i) {
      if (kind.settings[i]) settings[i] = reader.get<double>(kind.settings[i]);
    }
    reader.finish();
    return Initializer(static_cast<Initializer::Kind>(k), settings);
  }
  where.in("name").expected("an initializer", in_quotes(name));
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
    value.visit([&to](const auto& one) {
      if constexpr (std::is_same_v<std::decay_t<decltype(one)>, Initializer>) {
        to = to_json(one);
      } else {
        to = one;
      }
    });
  }
  for (const auto& inner : layer.layers) json["layers"].push_back(to_json(inner));
  return json;
}

[[nodiscard]] inline OptionValue option_of(const Json& json, const Where& where) {
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
