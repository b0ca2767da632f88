#pragma once

#include <map>
#include <optional>
#include <string>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/call.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The masks of a functional model. Keras 3 writes those of Masking and Embedding as operations
/// beside the layers, NotEqual(x, value), Any and LogicalOr, and layers take the result of such an
/// operation as an argument. strata's layers pass their masks on without being told to, so the
/// reader only checks that each mask argument is the mask that strata passes on.
class KerasMaskOperations {
 public:
  KerasMaskOperations(const Json& layers, const Where& where) {
    for (const Json& layer : layers) add(layer, where);
  }

  /// Whether the node of this name is an operation that makes a mask.
  [[nodiscard]] bool contains(const std::string& name) const { return masks_.contains(name); }

  /// Remembers the mask of a layer that makes one of the output of layer `source`.
  void note(const Json& layer, const std::string& source) {
    if (!layer.contains("config") || !layer["config"].is_object()) return;
    const Json& config = layer["config"];
    const Json kind = layer.value("class_name", Json());
    if (kind == "Masking" && config.contains("mask_value") && config["mask_value"].is_number()) {
      last_ = Mask{source, config["mask_value"].get<double>(), true};
    } else if (kind == "Embedding" && config.contains("mask_zero") && config["mask_zero"] == true) {
      last_ = Mask{source, 0, false};
    }
  }

  /// Throws FormatError unless an argument "mask" is null or the mask of the last layer that made
  /// one.
  void check(const Json* argument, const Where& where) const {
    if (!argument) return;
    const auto found = masks_.find(KerasCall::tensor_of(*argument, where));
    if (found == masks_.end() || !last_ || !(found->second == *last_)) {
      where.refuse("is another one than that of the Masking or Embedding before it");
    }
  }

 private:
  /// A step counts where the output of layer `source` differs from `value`. With `any`, the output
  /// has features, and one feature that differs is enough.
  struct Mask {
    std::string source;
    double value = 0;
    bool any = false;

    [[nodiscard]] bool operator==(const Mask&) const = default;
  };

  /// Remembers the operation if it makes a mask. Operations of other classes are refused later, as
  /// layers that strata does not have.
  void add(const Json& json, const Where& where) {
    ObjectReader reader(json, where);
    const Json* kind = reader.find("class_name");
    if (!kind || (*kind != "NotEqual" && *kind != "Any" && *kind != "LogicalOr")) return;
    const std::string name = reader.get<std::string>("name");
    const Where here = where.in("layer " + in_quotes(name));
    const Json& nodes = read_list(reader.raw("inbound_nodes"), here);
    if (nodes.size() != 1) return;
    ObjectReader call(nodes[0], here);
    const Json& inputs = read_list(call.raw("args"), here);
    ObjectReader config = reader.object("config");
    if (*kind == "NotEqual" && inputs.size() == 2 && inputs[1].is_number()) {
      masks_[name] = {KerasCall::tensor_of(inputs[0], here), inputs[1].get<double>(), false};
    } else if (*kind == "Any" && inputs.size() == 1) {
      config.require("axis", -1);
      config.require("keepdims", false);
      const auto found = masks_.find(KerasCall::tensor_of(inputs[0], here));
      if (found != masks_.end()) masks_[name] = {found->second.source, found->second.value, true};
    } else if (*kind == "LogicalOr" && inputs.size() == 2) {
      // The mask of an Add, whose two inputs have the same mask.
      const auto a = masks_.find(KerasCall::tensor_of(inputs[0], here));
      const auto b = masks_.find(KerasCall::tensor_of(inputs[1], here));
      if (a != masks_.end() && b != masks_.end() && a->second == b->second) {
        masks_[name] = Mask(a->second);
      }
    }
  }

  std::map<std::string, Mask> masks_;
  std::optional<Mask> last_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
