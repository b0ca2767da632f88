#pragma once

#include <string>

#include <strata/io/json.hpp>
#include <strata/io/object_reader.hpp>
#include <strata/io/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

namespace detail {

/// The layer whose only output an entry [name, node, output] is, which Keras puts into a list of
/// its own where there could be more.
[[nodiscard]] inline std::string single_output(const Json& json, const Where& where) {
  const Json& entry = json.is_array() && json.size() == 1 && json[0].is_array() ? json[0] : json;
  if (!entry.is_array() || entry.size() < 3 || !entry[0].is_string()) {
    where.refuse("expected one layer, found " + found_text(json) +
                 ": of functional models only chains are read");
  }
  for (const std::size_t i : {1, 2}) {
    if (read_integer(entry[i], where) != 0) {
      where.refuse("the model uses layer " + in_quotes(entry[0].get<std::string>()) +
                   " twice, or an output of it besides the first; only chains are read");
    }
  }
  return entry[0].get<std::string>();
}

/// What a layer is called with besides its input: nothing that changes its output.
inline void require_no_arguments(const Json& json, const Where& where) {
  ObjectReader arguments(json, where);
  arguments.require("mask", nullptr);
  arguments.require("initial_state", nullptr);
  if (const Json* training = arguments.find("training"); training && *training != Json(false)) {
    arguments.require("training", nullptr);
  }
  arguments.finish();
}

/// The layer that another one takes its input from.
[[nodiscard]] inline std::string source_of(const Json& nodes, const Where& where) {
  if (read_list(nodes, where).size() != 1) {
    where.refuse("is called " + std::to_string(nodes.size()) +
                 " times; of functional models only chains are read");
  }
  const Json& node = nodes[0];
  if (node.is_array()) {
    // Keras 2: [[name, node, output, arguments]].
    const std::string name = single_output(node, where);
    const Json& entry = node[0].is_array() ? node[0] : node;
    if (entry.size() > 3) require_no_arguments(entry[3], where.in("arguments"));
    return name;
  }
  ObjectReader call(node, where);
  const Json& inputs = read_list(call.raw("args"), where.in("args"));
  require_no_arguments(call.raw("kwargs"), where.in("kwargs"));
  call.finish();
  if (inputs.size() != 1 || !inputs[0].is_object()) {
    where.refuse("takes several inputs; of functional models only chains are read");
  }
  ObjectReader tensor(inputs[0], where.in("args"));
  const std::string kind = tensor.get<std::string>("class_name");
  if (kind != "__keras_tensor__")
    where.in("args").expected("the output of a layer", in_quotes(kind));
  ObjectReader config = tensor.object("config");
  // Both follow from the layers.
  config.ignore({"shape", "dtype"});
  const std::string name = single_output(config.raw("keras_history"), where);
  config.finish();
  tensor.finish();
  return name;
}

}  // namespace detail

/// Throws FormatError, naming the layer, where a functional model is no chain from its first layer
/// to its last.
inline void require_chain(ObjectReader& config, const Json& layers, const Where& where) {
  std::string before;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ObjectReader layer(layers[i], where.in("layer " + std::to_string(i)));
    const std::string name = layer.get<std::string>("name");
    const Where here = where.in("layer " + in_quotes(name));
    const Json& nodes = layer.raw("inbound_nodes");
    if (i == 0) {
      if (!read_list(nodes, here).empty()) here.expected("an input layer at the beginning", "none");
    } else {
      if (nodes.is_array() && nodes.empty()) {
        here.refuse("is a second input; of functional models only chains are read");
      }
      const std::string source = detail::source_of(nodes, here);
      if (source != before) {
        here.refuse("takes the output of " + in_quotes(source) + ", not of " + in_quotes(before) +
                    " before it: the model branches at " + in_quotes(source) +
                    "; only chains are read");
      }
    }
    before = name;
  }
  const auto require = [&](const char* key, const std::string& name) {
    const std::string found = detail::single_output(config.raw(key), config.where(key));
    if (found != name) config.where(key).expected(in_quotes(name), in_quotes(found));
  };
  if (layers.empty()) where.refuse("the model has no layers");
  require("input_layers", layers[0]["name"].get<std::string>());
  require("output_layers", before);
}

}  // namespace strata::inline STRATA_TARGET::io
