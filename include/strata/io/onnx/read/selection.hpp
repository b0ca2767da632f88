#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/links.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// What of a graph is read: one output, the nodes that it needs, and which inputs of these are
/// states. A graph made for streams takes the states of its recurrent layers as inputs, and gives
/// the new ones as outputs; of strata's models both are the State.
class OnnxSelection {
 public:
  /// `output`: the name of the output to read. Empty, for the only output that is no state. Throws
  /// FormatError where there is no such output, or are several. The graph must outlive the
  /// selection.
  OnnxSelection(const OnnxGraph& graph, const std::string& output, const Where& where)
      : graph_(&graph), links_(graph, where), output_(find_output(output, where)) {
    needed_ = needed_for(output_->name);
    find_data();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const OnnxNode& node = graph.nodes[i];
      if (!needed_.contains(i) || !is_recurrent_operator(node.op)) continue;
      for (const std::size_t operand : {std::size_t{5}, std::size_t{6}}) {
        add_sources(node, operand, states_);
      }
      add_sources(node, 4, lengths_);
    }
  }

  [[nodiscard]] const OnnxValueInfo& output() const noexcept { return *output_; }
  [[nodiscard]] const OnnxLinks& links() const noexcept { return links_; }
  /// Whether the output needs a node, by its place in the graph.
  [[nodiscard]] bool needs(std::size_t node) const { return needed_.contains(node); }

  /// The part of an input in the graph, by its name.
  enum class Role { data, state, lengths, unneeded };
  [[nodiscard]] Role role(const std::string& input) const {
    if (data_.contains(input)) return Role::data;
    if (states_.contains(input)) return Role::state;
    if (lengths_.contains(input)) return Role::lengths;
    for (const OnnxNode& node : graph_->nodes) {
      for (const std::string& name : node.inputs) {
        if (name == input) return Role::unneeded;
      }
    }
    return Role::data;
  }

 private:
  [[nodiscard]] std::set<std::size_t> needed_for(const std::string& output) const {
    std::set<std::size_t> needed;
    links_.walk_back({output}, [&](const OnnxLinks::Maker* maker, const std::string&) {
      if (!maker || !needed.insert(maker->node).second) return std::vector<std::string>();
      return links_.node(*maker).inputs;
    });
    return needed;
  }

  /// Finds the values without makers from which the output comes by other ways than states and
  /// lengths.
  void find_data() {
    links_.walk_back({output_->name}, [&](const OnnxLinks::Maker* maker, const std::string& value) {
      if (!maker) {
        data_.insert(value);
        return std::vector<std::string>();
      }
      const OnnxNode& node = links_.node(*maker);
      if (node.op == "Shape") return std::vector<std::string>();
      std::vector<std::string> operands = node.inputs;
      if (is_recurrent_operator(node.op) && operands.size() > 4) operands.resize(4);
      return operands;
    });
  }

  /// Adds the inputs of the graph from which an operand comes, but not those whose sizes alone it
  /// takes, as zeros do, nor those behind other recurrent nodes.
  void add_sources(const OnnxNode& node, std::size_t operand, std::set<std::string>& to) const {
    if (operand >= node.inputs.size()) return;
    links_.walk_back(
        {node.inputs[operand]}, [&](const OnnxLinks::Maker* maker, const std::string& value) {
          if (!maker) {
            to.insert(value);
            return std::vector<std::string>();
          }
          const OnnxNode& made_by = links_.node(*maker);
          const bool stops = made_by.op == "Shape" || is_recurrent_operator(made_by.op);
          return stops ? std::vector<std::string>() : made_by.inputs;
        });
  }

  [[nodiscard]] const OnnxValueInfo* find_output(const std::string& wanted,
                                                 const Where& where) const {
    const auto& outputs = graph_->outputs;
    std::vector<std::string> names;
    for (const OnnxValueInfo& one : outputs) {
      if (!wanted.empty() && one.name == wanted) return &one;
      names.push_back(in_quotes(one.name));
    }
    if (!wanted.empty()) {
      where.refuse("there is no output " + in_quotes(wanted) + "; there are: " + list_text(names));
    }
    if (outputs.size() == 1) return &outputs[0];
    if (const auto* const found = only_output_besides_states()) return found;
    where.refuse("the graph has not one output; say which by .output: " + list_text(names));
  }

  /// Null where there is not one output that is no state, or where a state is of a layer that this
  /// output does not need.
  [[nodiscard]] const OnnxValueInfo* only_output_besides_states() const {
    const OnnxValueInfo* only = nullptr;
    std::set<std::size_t> layers;
    for (const OnnxValueInfo& one : graph_->outputs) {
      const std::set<std::size_t> of = layers_of_states(one.name);
      layers.insert(of.begin(), of.end());
      if (!of.empty()) continue;
      if (only) return nullptr;
      only = &one;
    }
    if (!only) return nullptr;
    const std::set<std::size_t> needed = needed_for(only->name);
    for (const std::size_t layer : layers) {
      if (!needed.contains(layer)) return nullptr;
    }
    return only;
  }

  /// The recurrent nodes whose last states an output is, whole and in any order of axes; none where
  /// it is anything else.
  [[nodiscard]] std::set<std::size_t> layers_of_states(const std::string& output) const {
    std::set<std::size_t> layers;
    bool is_state = true;
    links_.walk_back({output}, [&](const OnnxLinks::Maker* maker, const std::string&) {
      std::vector<std::string> next;
      const OnnxNode* const node = maker ? &links_.node(*maker) : nullptr;
      if (node && is_recurrent_operator(node->op) && maker->output > 0) {
        layers.insert(maker->node);
      } else if (node && node->op == "Concat") {
        next = node->inputs;
      } else if (node && moves_axes(node->op) && !node->inputs.empty()) {
        next = {node->inputs[0]};
      } else {
        is_state = false;
      }
      return next;
    });
    return is_state ? layers : std::set<std::size_t>();
  }

  [[nodiscard]] static bool moves_axes(std::string_view op) noexcept {
    for (const char* one : {"Cast", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}) {
      if (op == one) return true;
    }
    return false;
  }

  const OnnxGraph* graph_;
  OnnxLinks links_;
  const OnnxValueInfo* output_;
  std::set<std::size_t> needed_;
  std::set<std::string> data_;
  std::set<std::string> states_;
  std::set<std::string> lengths_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
