#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

// The calls of layers in a functional model, as Keras 2 and Keras 3 write them.

namespace strata::inline STRATA_RUNTIME::io {

/// The name of the layer in an entry [name, call, output]. Throws FormatError on another output
/// than the first of the first call.
[[nodiscard]] inline std::string keras_output_of(const Json& entry, const Where& where) {
  if (!entry.is_array() || entry.size() < 3 || !entry[0].is_string()) {
    where.expected("[layer, call, output]", found_text(entry));
  }
  const std::string name = entry[0].get<std::string>();
  if (read_integer(entry[1], where) != 0) {
    where.refuse("takes the output of a second call of " + in_quotes(name) +
                 ", and strata's layers are called once");
  }
  if (read_integer(entry[2], where) != 0) {
    where.refuse("takes output " + entry[2].dump() + " of " + in_quotes(name) +
                 ", its state or a second output, and strata's layers pass on one output; states "
                 "are set and read by predict(x, {.state = &state})");
  }
  return name;
}

/// The names of the layers in an entry or a list of entries. An output besides the first of its
/// layer has its number behind the name.
[[nodiscard]] inline std::vector<std::string> keras_outputs_of(const Json& json,
                                                               const Where& where) {
  const Json& list = read_list(json, where);
  if (!list.empty() && list[0].is_string()) return {keras_output_of(list, where)};
  std::vector<std::string> names;
  for (const Json& entry : list) {
    if (list.size() > 1 && entry.is_array() && entry.size() == 3 && entry[0].is_string()) {
      names.push_back(entry[0].get<std::string>());
      if (entry[2] != Json(0)) names.back() += " " + entry[2].dump();
    } else {
      names.push_back(keras_output_of(entry, where));
    }
  }
  return names;
}

/// A call of a layer: the layers whose outputs it takes, and its mask.
struct KerasCall {
  std::vector<std::string> inputs;
  /// The argument "mask"; null where the call has none.
  const Json* mask = nullptr;

  /// Reads an entry of "inbound_nodes". Throws FormatError on an argument that would change the
  /// output of the layer.
  [[nodiscard]] static KerasCall of(const Json& node, const Where& where) {
    KerasCall call;
    if (node.is_array()) {
      // Keras 2: [[name, call, output, arguments], ...], or one such entry for one input.
      const bool is_one = !node.empty() && node[0].is_string();
      const std::size_t count = is_one ? 1 : node.size();
      for (std::size_t i = 0; i < count; ++i) {
        const Json& entry = is_one ? node : node[i];
        call.inputs.push_back(keras_output_of(entry, where));
        if (entry.size() > 3) call.read_arguments(entry[3], where.in("arguments"));
      }
      return call;
    }
    ObjectReader reader(node, where);
    for (const Json& one : read_list(reader.raw("args"), where.in("args"))) {
      if (!one.is_array()) {
        call.inputs.push_back(tensor_of(one, where));
        continue;
      }
      for (const Json& inner : one) call.inputs.push_back(tensor_of(inner, where));
    }
    call.read_arguments(reader.raw("kwargs"), where.in("kwargs"));
    reader.finish();
    return call;
  }

  /// The name of the layer whose output the object {"class_name": "__keras_tensor__", ...} stands
  /// for.
  [[nodiscard]] static std::string tensor_of(const Json& json, const Where& where) {
    if (!json.is_object()) where.expected("the output of a layer", found_text(json));
    ObjectReader tensor(json, where);
    const std::string kind = tensor.get<std::string>("class_name");
    if (kind != "__keras_tensor__") where.expected("the output of a layer", in_quotes(kind));
    ObjectReader config = tensor.object("config");
    // Shape and type of a tensor follow from the layers.
    config.ignore({"shape", "dtype"});
    std::string name = keras_output_of(config.raw("keras_history"), where);
    config.finish();
    tensor.finish();
    return name;
  }

 private:
  void read_arguments(const Json& json, const Where& where) {
    ObjectReader arguments(json, where);
    arguments.require("initial_state", nullptr);
    const Json* training = arguments.find("training");
    if (training && *training != Json(false)) arguments.require("training", nullptr);
    const Json* found = arguments.find("mask");
    if (found && !found->is_null()) mask = found;
    arguments.finish();
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
