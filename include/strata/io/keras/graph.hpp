#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/keras/call.hpp>
#include <strata/io/keras/mask_operations.hpp>
#include <strata/io/keras/operation.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A layer on the way from the input of a model to its output: its place in the list of layers, and
/// for an Add that adds its input to a branch, the layers of the branch.
struct KerasStep {
  std::size_t layer = 0;
  std::vector<KerasStep> branch = {};
};

/// A functional Keras model whose layers are a chain, in which an Add may join a part of the chain
/// with the input of that part. Throws FormatError, naming the layer, on any other graph.
class KerasGraph {
 public:
  KerasGraph(ObjectReader& config, const Json& layers, const Where& where)
      : where_(where), masks_(layers, where) {
    for (const Json& layer : layers) add(layer);
    const std::size_t begin = end_of(config, "input_layers", "input");
    const std::size_t end = end_of(config, "output_layers", "output");
    if (!nodes_[begin].inputs.empty()) {
      place(begin).expected("an input layer at the beginning", "another layer");
    }
    claim(begin);
    steps_ = back_to(end, begin, 0);
    steps_.insert(steps_.begin(), KerasStep{begin});
    require_all_used(begin);
    check_masks(steps_);
  }

  /// From the input to the output.
  [[nodiscard]] const std::vector<KerasStep>& steps() const noexcept { return steps_; }

 private:
  struct Node {
    std::string name;
    const Json* layer = nullptr;
    /// The places of the layers whose outputs it takes.
    std::vector<std::size_t> inputs = {};
    /// The argument "mask" of its call; null where it has none.
    const Json* mask = nullptr;
    bool is_used = false;
    bool makes_mask = false;
    /// Whether it is the layer Add, or x + y.
    bool is_sum = false;
  };

  /// An Add within the branch of an Add, and so on.
  static constexpr int max_depth = 16;
  static constexpr const char* only_chains =
      "; of functional models a chain is read, in which layers.Add may add the input of a part to "
      "its output";

  [[nodiscard]] Where place(std::size_t i) const {
    return where_.in("layer " + in_quotes(nodes_[i].name));
  }

  void add(const Json& json) {
    const std::size_t i = nodes_.size();
    ObjectReader reader(json, where_.in("layer " + std::to_string(i)));
    Node node{reader.get<std::string>("name"), &json};
    const Where here = where_.in("layer " + in_quotes(node.name));
    node.makes_mask = masks_.contains(node.name);
    const Json& calls = read_list(reader.raw("inbound_nodes"), here.in("inbound_nodes"));
    if (calls.size() > 1) {
      here.refuse("is called " + std::to_string(calls.size()) +
                  " times, so that the calls share its weights" + only_chains);
    }
    if (!calls.empty() && !node.makes_mask) {
      KerasCall call;
      if (KerasOperation::is_one(json)) {
        const KerasOperation operation = KerasOperation::of(json, here);
        call.inputs = operation.inputs();
        node.is_sum = operation.is_sum();
      } else {
        call = KerasCall::of(calls[0], here);
        node.is_sum = json.contains("class_name") && json["class_name"] == "Add";
      }
      for (const std::string& name : call.inputs) {
        const auto found = by_name_.find(name);
        if (found == by_name_.end()) {
          here.refuse("takes the output of " + in_quotes(name) + ", which no layer before it is");
        }
        node.inputs.push_back(found->second);
      }
      node.mask = call.mask;
    }
    if (!by_name_.emplace(node.name, i).second) here.refuse("is there twice");
    nodes_.push_back(std::move(node));
  }

  /// The layer in "input_layers" or "output_layers".
  [[nodiscard]] std::size_t end_of(ObjectReader& config, const char* key, const char* what) const {
    const Where here = config.where(key);
    const auto ends = keras_outputs_of(config.raw(key), here);
    if (ends.size() != 1) {
      here.refuse("the model has " + std::to_string(ends.size()) + " " + what + "s (" +
                  list_text(ends) + "), and a model of strata has one; save a model of one " +
                  what + ", such as keras.Model(inputs, outputs[0])");
    }
    const auto found = by_name_.find(ends[0]);
    if (found == by_name_.end()) here.refuse("there is no layer " + in_quotes(ends[0]));
    return found->second;
  }

  void claim(std::size_t i) {
    if (nodes_[i].is_used) {
      where_.refuse("the model branches behind " + in_quotes(nodes_[i].name) + only_chains);
    }
    nodes_[i].is_used = true;
  }

  /// The steps behind layer `begin` up to layer `end`. A layer comes after all layers whose outputs
  /// it takes, so the places fall on the way back.
  [[nodiscard]] std::vector<KerasStep> back_to(std::size_t end, std::size_t begin, int depth) {
    if (depth > max_depth) where_.refuse("branches are nested too deep");
    std::vector<KerasStep> steps;
    std::size_t at = end;
    while (at != begin) {
      if (at < begin) {
        where_.refuse("the model branches before " + in_quotes(nodes_[end].name) +
                      ": the way back from it does not lead to " + in_quotes(nodes_[begin].name) +
                      only_chains);
      }
      claim(at);
      const auto& inputs = nodes_[at].inputs;
      if (inputs.empty()) {
        place(at).refuse("is a second input of the model; a model of strata has one");
      }
      KerasStep step{at};
      if (nodes_[at].is_sum && inputs.size() == 2 && inputs[0] != inputs[1]) {
        const std::size_t last = (std::max)(inputs[0], inputs[1]);
        const std::size_t first = (std::min)(inputs[0], inputs[1]);
        step.branch = back_to(last, first, depth + 1);
        at = first;
      } else if (inputs.size() == 1 && !nodes_[at].is_sum) {
        at = inputs[0];
      } else {
        place(at).refuse("takes " + std::to_string(inputs.size()) + " inputs" + only_chains);
      }
      steps.push_back(std::move(step));
    }
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  void require_all_used(std::size_t begin) const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = nodes_[i];
      if (node.is_used || node.makes_mask) continue;
      if (node.inputs.empty() && i != begin) {
        place(i).refuse("is a second input of the model; a model of strata has one");
      }
      place(i).refuse("does not lead to the model's output" + std::string(only_chains));
    }
  }

  void check_masks(const std::vector<KerasStep>& steps) {
    for (const KerasStep& step : steps) {
      check_masks(step.branch);
      const Node& node = nodes_[step.layer];
      masks_.check(node.mask, place(step.layer).in("mask"));
      if (!node.inputs.empty()) masks_.note(*node.layer, nodes_[node.inputs[0]].name);
    }
  }

  Where where_;
  KerasMaskOperations masks_;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<KerasStep> steps_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
