#pragma once

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/contracts/parameter_rules.hpp>
#include <strata/io/common/description_json.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/self_test.hpp>
#include <strata/io/common/where.hpp>
#include <strata/layers/input.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>
#include <strata/version.hpp>

// The metadata of strata's safetensors files: versions, input and layers of the model.

namespace strata::inline STRATA_RUNTIME::io {

/// The version of the format. It grows by one when files change so that an older strata cannot read
/// them.
inline constexpr int format_version = 1;

/// The input and the layers of a model, without weights.
struct Architecture {
  std::optional<Input> input;
  std::vector<LayerDescription> layers;
  detail::ParameterRules rules = {};
};

/// The architecture of a model.
template <class Scalar>
[[nodiscard]] Architecture architecture_of(const Network<Scalar>& network) {
  Architecture architecture{network.input(), {}, network.parameter_rules()};
  for (const auto& layer : network.layers()) {
    architecture.layers.push_back(layer.description());
  }
  return architecture;
}

/// {"input": [10, 3], "layers": [...]}, with null for a size that is not fixed and, where there are
/// rules for parameters, "trainable": [["lstm", false]] and "rates": [["dense", 0.1]]. Throws
/// ValueError on a layer that does not describe itself.
[[nodiscard]] inline Json to_json(const Architecture& architecture) {
  Json json;
  if (architecture.input) {
    const Shape shape = architecture.input->shape();
    for (Index axis = 1; axis < shape.rank(); ++axis) {
      json["input"].push_back(shape[axis] == Dynamic ? Json() : Json(shape[axis]));
    }
  }
  json["layers"] = Json::array();
  for (const auto& layer : architecture.layers) json["layers"].push_back(to_json(layer));
  for (const auto& [name, value] : architecture.rules.trainable) {
    json["trainable"].push_back({name, value});
  }
  for (const auto& [name, factor] : architecture.rules.rates) {
    json["rates"].push_back({name, factor});
  }
  return json;
}

[[nodiscard]] inline Input input_of(const Json& json, const Where& where) {
  const auto size = [&](const Json& one) {
    return one.is_null() ? Index{Dynamic} : read_integer(one, where, 1, OptionReader::max_size);
  };
  const auto& sizes = read_list(json, where);
  if (sizes.size() == 1) return Input(size(sizes[0]));
  if (sizes.size() == 2 && !sizes[1].is_null()) return Input(size(sizes[0]), size(sizes[1]));
  where.expected("[features] or [steps, features]", json.dump());
}

/// Calls f(name, value) for each rule [name, value] of a list that may be missing.
template <class F>
void for_each_rule(ObjectReader& reader, const char* list, const Where& where, F f) {
  const Json* rules = reader.find(list);
  if (!rules) return;
  for (const Json& rule : read_list(*rules, where.in(list))) {
    if (!rule.is_array() || rule.size() != 2 || !rule[0].is_string()) {
      where.in(list).expected("[name, value]", rule.dump());
    }
    f(rule[0].get<std::string>(), rule[1]);
  }
}

[[nodiscard]] inline Architecture architecture_of(const std::string& text, const Where& where) {
  const Json json = parse_json(text, where);
  ObjectReader reader(json, where);
  Architecture architecture;
  if (const Json* input = reader.find("input")) {
    architecture.input = input_of(*input, where.in("input"));
  }
  std::size_t i = 0;
  for (const Json& layer : read_list(reader.raw("layers"), where.in("layers"))) {
    architecture.layers.push_back(description_of(layer, where.in("layer " + std::to_string(i++))));
  }
  for_each_rule(reader, "trainable", where, [&](const std::string& name, const Json& value) {
    if (!value.is_boolean()) where.in("trainable").expected("true or false", value.dump());
    architecture.rules.set_trainable(name, value.get<bool>());
  });
  for_each_rule(reader, "rates", where, [&](const std::string& name, const Json& value) {
    const double factor = read_number(value, where.in("rates"));
    if (!detail::is_finite(factor) || factor < 0) {
      where.in("rates").expected("a factor of at least 0", value.dump());
    }
    architecture.rules.set_rate(name, factor);
  });
  reader.finish();
  return architecture;
}

/// The metadata of a safetensors file that strata reads: texts by name.
class Metadata {
 public:
  using Map = std::map<std::string, std::string>;

  [[nodiscard]] static Map of(const Architecture& architecture) {
    return {{"format", "strata"},
            {"strata.format_version", std::to_string(format_version)},
            {"strata.version", version_string},
            {"strata.model", to_json(architecture).dump()}};
  }

  /// Throws FormatError when the format is newer than this strata, and on an unknown key that
  /// begins with "strata.". Files of other programs, which have no strata.format_version, pass.
  Metadata(const Map& map, const Where& where) : map_(map), where_(where.in("metadata")) {
    const std::string* format = find("strata.format_version");
    if (!format) return;
    int version = 0;
    const char* const end = format->data() + format->size();
    const auto [stop, error] = std::from_chars(format->data(), end, version);
    const std::string* writer = find("strata.version");
    if (error != std::errc() || stop != end || version < 1 || version > format_version) {
      where_.in("strata.format_version")
          .expected("at most " + std::to_string(format_version) + ", which strata " +
                        version_string + " reads",
                    in_quotes(*format) + ", written by strata " +
                        (writer ? in_quotes(*writer) : std::string("of unknown version")));
    }
    for (const auto& [key, value] : map_) {
      if (key.starts_with("strata.") && key != "strata.format_version" && key != "strata.version" &&
          key != "strata.model" && key != "strata.self_test_tolerance" &&
          key != "strata.checkpoint") {
        where_.in(in_quotes(key)).refuse("is not known");
      }
    }
  }

  /// The model's input and layers; nothing where the file holds weights alone.
  [[nodiscard]] std::optional<Architecture> architecture() const {
    const std::string* text = find("strata.model");
    if (!text) return std::nullopt;
    return architecture_of(*text, where_.in("strata.model"));
  }

  /// The texts of a training's state, as JSON; null where the file is no checkpoint. The numbers of
  /// the state are arrays named "training...".
  [[nodiscard]] const std::string* checkpoint() const { return find("strata.checkpoint"); }

  [[nodiscard]] double self_test_tolerance() const {
    const std::string* text = find("strata.self_test_tolerance");
    if (!text) return io::self_test_tolerance;
    const Where here = where_.in("strata.self_test_tolerance");
    const double tolerance = read_number(parse_json(*text, here), here);
    if (!(tolerance > 0)) here.expected("a number above 0", in_quotes(*text));
    return tolerance;
  }

 private:
  [[nodiscard]] const std::string* find(const std::string& key) const {
    const auto found = map_.find(key);
    return found == map_.end() ? nullptr : &found->second;
  }

  Map map_;
  Where where_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
