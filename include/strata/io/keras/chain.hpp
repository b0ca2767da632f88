#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The layers of a functional Keras model that is a chain, from its input to its output. Throws
/// FormatError, naming the layer, where the model branches.
///
/// Keras 3 writes the masks of Masking and Embedding as operations beside the chain, NotEqual(x,
/// value) and Any, and layers take the result of such an operation as an argument. strata's layers
/// pass their masks on without being told to, so the reader only checks that each mask argument is
/// the mask that strata passes on.
class KerasChain {
 public:
  KerasChain(ObjectReader& config, const Json& layers, const Where& where) {
    for (const Json& layer : layers) add_mask(layer, where);
    std::string before;
    for (const Json& layer : layers) {
      ObjectReader reader(layer, where.in("layer " + std::to_string(layers_.size())));
      const std::string name = reader.get<std::string>("name");
      if (masks_.contains(name)) continue;
      add(reader, before, where.in("layer " + in_quotes(name)));
      layers_.push_back(&layer);
      before = name;
    }
    if (layers_.empty()) where.refuse("the model has no layers");
    require_end(config, "input_layers", (*layers_.front())["name"].get<std::string>());
    require_end(config, "output_layers", before);
  }

  [[nodiscard]] const std::vector<const Json*>& layers() const noexcept { return layers_; }

 private:
  /// A mask of steps: a step counts where the output of layer `source` differs from `value`. With
  /// `any`, the output has features, and one feature that differs is enough.
  struct MaskOperation {
    std::string source;
    double value = 0;
    bool any = false;

    [[nodiscard]] bool operator==(const MaskOperation&) const = default;
  };

  static constexpr const char* only_chains = "; of functional models only chains are read";

  void add(ObjectReader& reader, const std::string& before, const Where& here) {
    const Json& nodes = read_list(reader.raw("inbound_nodes"), here.in("inbound_nodes"));
    if (layers_.empty()) {
      if (!nodes.empty()) here.expected("an input layer at the beginning", "another layer");
      return;
    }
    if (nodes.empty()) here.refuse(std::string("is a second input") + only_chains);
    if (nodes.size() > 1) {
      here.refuse("is called " + std::to_string(nodes.size()) + " times" + only_chains);
    }
    const std::string source = source_of(nodes[0], here);
    if (source != before) {
      here.refuse("takes the output of " + in_quotes(source) + ", not of " + in_quotes(before) +
                  " before it: the model branches at " + in_quotes(source) + only_chains);
    }
    note_mask(reader, source);
  }

  void note_mask(ObjectReader& reader, const std::string& source) {
    const Json& config = reader.raw("config");
    const Json& kind = reader.raw("class_name");
    if (!config.is_object()) return;
    if (kind == "Masking" && config.contains("mask_value") && config["mask_value"].is_number()) {
      last_mask_ = MaskOperation{source, config["mask_value"].get<double>(), true};
    } else if (kind == "Embedding" && config.contains("mask_zero") && config["mask_zero"] == true) {
      last_mask_ = MaskOperation{source, 0, false};
    }
  }

  /// The name of the layer whose output is the only input of a call.
  [[nodiscard]] std::string source_of(const Json& node, const Where& here) const {
    if (node.is_array()) {
      // Keras 2: [[name, node, output, arguments]].
      const std::string name = output_of(node, here);
      const Json& entry = node[0].is_array() ? node[0] : node;
      if (entry.size() > 3) require_no_arguments(entry[3], here.in("arguments"));
      return name;
    }
    ObjectReader call(node, here);
    const Json& inputs = read_list(call.raw("args"), here.in("args"));
    if (inputs.size() != 1) here.refuse(std::string("takes several inputs") + only_chains);
    require_no_arguments(call.raw("kwargs"), here.in("kwargs"));
    call.finish();
    return tensor_of(inputs[0], here);
  }

  /// Throws FormatError on an argument of a call that would change the output of the layer. The
  /// input is not among these arguments.
  void require_no_arguments(const Json& json, const Where& where) const {
    ObjectReader arguments(json, where);
    arguments.require("initial_state", nullptr);
    const Json* training = arguments.find("training");
    if (training && *training != Json(false)) arguments.require("training", nullptr);
    const Json* mask = arguments.find("mask");
    if (mask && !mask->is_null()) {
      const Where here = where.in("mask");
      const auto found = masks_.find(tensor_of(*mask, here));
      if (found == masks_.end() || !last_mask_ || !(found->second == *last_mask_)) {
        here.refuse("is another one than that of the Masking or Embedding before it");
      }
    }
    arguments.finish();
  }

  /// The name of the layer whose output the object {"class_name": "__keras_tensor__", ...} stands
  /// for.
  [[nodiscard]] static std::string tensor_of(const Json& json, const Where& where) {
    if (!json.is_object()) where.refuse(std::string("takes several inputs") + only_chains);
    ObjectReader tensor(json, where);
    const std::string kind = tensor.get<std::string>("class_name");
    if (kind != "__keras_tensor__") where.expected("the output of a layer", in_quotes(kind));
    ObjectReader config = tensor.object("config");
    // Shape and type of a tensor follow from the layers.
    config.ignore({"shape", "dtype"});
    std::string name = output_of(config.raw("keras_history"), where);
    config.finish();
    tensor.finish();
    return name;
  }

  /// The name of the layer in an entry [name, node, output]. Where Keras allows several entries, it
  /// puts even a single one into a list. Throws FormatError on several entries, and on outputs
  /// besides the first output of the first call.
  [[nodiscard]] static std::string output_of(const Json& json, const Where& where) {
    const bool in_list = json.is_array() && json.size() == 1 && json[0].is_array();
    const Json& entry = in_list ? json[0] : json;
    if (!entry.is_array() || entry.size() < 3 || !entry[0].is_string()) {
      where.refuse("expected one layer, found " + found_text(json) + only_chains);
    }
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      if (read_integer(entry[i], where) != 0) {
        where.refuse("the model uses " + in_quotes(entry[0].get<std::string>()) +
                     " twice, or an output of it besides the first" + only_chains);
      }
    }
    return entry[0].get<std::string>();
  }

  /// Remembers the operation if it makes a mask. Operations of other classes are refused later, as
  /// layers that strata does not have.
  void add_mask(const Json& json, const Where& where) {
    ObjectReader reader(json, where);
    const Json* kind = reader.find("class_name");
    if (!kind || (*kind != "NotEqual" && *kind != "Any")) return;
    const std::string name = reader.get<std::string>("name");
    const Where here = where.in("layer " + in_quotes(name));
    const Json& nodes = read_list(reader.raw("inbound_nodes"), here);
    if (nodes.size() != 1) return;
    ObjectReader call(nodes[0], here);
    const Json& inputs = read_list(call.raw("args"), here);
    ObjectReader config = reader.object("config");
    if (*kind == "NotEqual" && inputs.size() == 2 && inputs[1].is_number()) {
      masks_[name] = {tensor_of(inputs[0], here), inputs[1].get<double>(), false};
    } else if (*kind == "Any" && inputs.size() == 1) {
      config.require("axis", -1);
      config.require("keepdims", false);
      const auto found = masks_.find(tensor_of(inputs[0], here));
      if (found != masks_.end()) masks_[name] = {found->second.source, found->second.value, true};
    }
  }

  static void require_end(ObjectReader& config, const char* key, const std::string& name) {
    const std::string found = output_of(config.raw(key), config.where(key));
    if (found != name) config.where(key).expected(in_quotes(name), in_quotes(found));
  }

  std::vector<const Json*> layers_;
  std::map<std::string, MaskOperation> masks_;
  /// The mask of the last layer so far that makes a mask.
  std::optional<MaskOperation> last_mask_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
