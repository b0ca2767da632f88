#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/io/safetensors/training_file.hpp>

namespace strata::inline STRATA_RUNTIME::io {

STRATA_INLINE void write_checkpoint(const Path& path, const TrainingState& state) {
  SafetensorsWriter writer;
  bool complete = true;
  for (const auto& layer : state.layers) complete = complete && is_complete(layer);
  writer.metadata = Metadata::of(
      {state.input, complete ? state.layers : std::vector<LayerDescription>(), state.rules});
  if (!complete) writer.metadata.erase("strata.model");
  Json texts = Json::object();
  for (const auto& weights : state.weights) {
    std::visit(
        [&](const auto& values) {
          writer.add_view(weights.name, sizes_of(weights.shape), std::span(values));
        },
        weights.values);
  }
  for (const auto& [name, value] : state.values) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      texts[name] = *text;
      continue;
    }
    const std::string array = "training." + name;
    std::visit(
        [&](const auto& values) {
          if constexpr (!std::same_as<std::decay_t<decltype(values)>, std::string>) {
            writer.add_view(array, {static_cast<Index>(values.size())}, std::span(values));
          }
        },
        value);
  }
  writer.metadata["strata.checkpoint"] = texts.dump();
  writer.write_file(path);
}

STRATA_INLINE TrainingState read_checkpoint(const Source& from) {
  const Where where = from.where();
  SafetensorsFile file = read_safetensors(from);
  const Metadata metadata(file.metadata, where);
  const std::string* const text = metadata.checkpoint();
  if (!text) where.refuse("holds a model but no training that could go on");
  TrainingState state;
  const Where texts = where.in("metadata").in("strata.checkpoint");
  const Json json = parse_json(*text, texts);
  if (!json.is_object()) texts.expected("an object", found_text(json));
  for (const auto& [name, value] : json.items()) {
    state.values[name] = read_string(value, texts.in(in_quotes(name)));
  }
  constexpr std::string_view prefix = "training.";
  for (const std::string& name : file.arrays.names()) {
    const ArrayView& array = file.arrays.take(name);
    const Where here = file.arrays.where(name);
    const auto numbers = [&]<class Number>(std::type_identity<Number>) {
      std::vector<Number> values(array.bytes.size() / sizeof(Number));
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = read_scalar<Number>(array.bytes.data() + i * sizeof(Number));
      }
      return values;
    };
    if (name.starts_with(prefix)) {
      TrainingState::Value& to = state.values[name.substr(prefix.size())];
      switch (array.element) {
        case Element::int64:
          to = numbers(std::type_identity<std::int64_t>());
          break;
        case Element::float32:
          to = numbers(std::type_identity<float>());
          break;
        case Element::float64:
          to = numbers(std::type_identity<double>());
          break;
        default:
          here.expected("int64, float32 or float64", std::string(io::name(array.element)));
      }
    } else {
      TrainingState::Weights weights{name, {}, {}};
      weights.shape = shape_of(array.shape, here);
      if (array.element == Element::float32) {
        weights.values = numbers(std::type_identity<float>());
      } else if (array.element == Element::float64) {
        weights.values = numbers(std::type_identity<double>());
      } else {
        here.expected("float32 or float64", std::string(io::name(array.element)));
      }
      std::visit(
          [&]<class Number>(const std::vector<Number>& values) {
            require_finite(Parameter<const Number>{name, weights.shape, values}, here);
          },
          weights.values);
      state.weights.push_back(std::move(weights));
    }
  }
  return state;
}

}  // namespace strata::inline STRATA_RUNTIME::io
