#pragma once

#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/element.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/samples.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/normalization_formulas.hpp>
#include <strata/io/onnx/read/operators/constant.hpp>
#include <strata/io/onnx/read/selection.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Finds activations that a graph writes as a formula of several nodes, such as x Sigmoid(x),
/// before the nodes are read. A formula begins at a value that several nodes take, goes through
/// nodes that work number by number, and ends at the last node that alone takes all that came
/// before it and makes an activation. Layer normalizations in several nodes count as formulas too.
class OnnxFormulas {
 public:
  struct Formula {
    /// The value that is activated, and the name of the activation.
    std::string operand;
    std::string_view activation;
    /// The node that does the same, where it is no activation: a LayerNormalization, or an Identity
    /// of ids.
    std::optional<OnnxNode> node = std::nullopt;
  };

  OnnxFormulas(const OnnxGraph& graph, const OnnxSelection& selection, const Where& where)
      : graph_(&graph), selection_(&selection) {
    find_numbers(where);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (!selection.needs(i)) continue;
      for (const std::string& input : graph.nodes[i].inputs) takers_[input].push_back(i);
    }
    for (auto& [end, one] : OnnxNormalizationFormulas(graph, selection, numbers_, takers_).find()) {
      inside_.insert(one.inside.begin(), one.inside.end());
      formulas_.emplace(end, Formula{one.node.inputs[0], {}, std::move(one.node)});
    }
    for (const auto& [value, nodes] : takers_) {
      if (nodes.size() > 1 && !numbers_.contains(value)) find_from(value, nodes);
    }
  }

  /// The formula that ends at a node; null where none does.
  [[nodiscard]] const Formula* at(std::size_t node) const {
    const auto found = formulas_.find(node);
    return found == formulas_.end() ? nullptr : &found->second;
  }
  /// Whether a node is part of a formula and not its end.
  [[nodiscard]] bool is_inside(std::size_t node) const { return inside_.contains(node); }

  /// The values that several nodes take, or a node and the output, where a formula counts as one
  /// node and nodes that take a size count as none.
  [[nodiscard]] std::set<std::string> shared() const {
    std::set<std::string> once{selection_->output().name};
    std::set<std::string> more;
    const auto take = [&](const std::string& value) {
      if (!once.insert(value).second) more.insert(value);
    };
    for (std::size_t i = 0; i < graph_->nodes.size(); ++i) {
      const OnnxNode& node = graph_->nodes[i];
      if (!selection_->needs(i) || is_inside(i) || node.op == "Shape") continue;
      if (const Formula* const formula = at(i)) {
        take(formula->operand);
        if (!formula->node) continue;
        for (std::size_t k = 1; k < formula->node->inputs.size(); ++k) {
          take(formula->node->inputs[k]);
        }
      } else {
        for (const std::string& input : node.inputs) take(input);
      }
    }
    return more;
  }

 private:
  /// Finds the constants that are one number.
  void find_numbers(const Where& where) {
    for (const OnnxTensor& tensor : graph_->initializers) add_number(tensor.name, tensor, where);
    for (const OnnxNode& node : graph_->nodes) {
      if (node.op != "Constant" || node.outputs.empty()) continue;
      for (const OnnxAttribute& attribute : node.attributes) {
        if (const auto* const tensor = std::get_if<OnnxTensor>(&attribute.value)) {
          add_number(node.outputs[0], *tensor, where);
        } else if (const auto* const number = std::get_if<float>(&attribute.value)) {
          numbers_.emplace(node.outputs[0], static_cast<double>(*number));
        }
      }
    }
  }
  void add_number(const std::string& name, const OnnxTensor& tensor, const Where& where) {
    if (tensor.shape.size() > 1 || tensor.bytes.size() != size_of(tensor.element)) return;
    const OnnxValue value = OnnxConstants::value_of(tensor, where);
    if (const auto* const numbers = std::get_if<Numbers>(&value)) {
      numbers_.emplace(name, numbers->values.at(0));
    } else if (const auto* const integers = std::get_if<OnnxIntegers>(&value)) {
      numbers_.emplace(name, static_cast<double>(integers->values.at(0).number));
    }
  }

  /// Goes on from a value, node by node in their order, as long as they work number by number.
  void find_from(const std::string& start, const std::vector<std::size_t>& takers) {
    constexpr std::size_t longest = 32;
    std::map<std::string, OnnxSamples> values{{start, OnnxSamples::identity()}};
    std::set<std::size_t> next;
    std::set<std::size_t> nodes;
    const auto go_on = [&](const std::vector<std::size_t>& list) {
      for (const std::size_t node : list) {
        if (graph_->nodes[node].op != "Shape") next.insert(node);
      }
    };
    go_on(takers);
    // How many operands of further nodes are values of the formula besides its start.
    std::size_t open = 0;
    std::optional<std::size_t> end;
    std::string_view activation;
    std::set<std::size_t> before_end;
    while (!next.empty() && nodes.size() < longest) {
      const std::size_t i = *next.begin();
      next.erase(next.begin());
      const OnnxNode& node = graph_->nodes[i];
      const auto result = compute(node, values);
      if (!result || inside_.contains(i) || formulas_.contains(i)) {
        // What takes the start alone may be outside of the formula.
        if (takes_only(node, start, values)) continue;
        break;
      }
      const std::string& made = node.outputs[0];
      if (made == selection_->output().name && !result->activation()) break;
      for (const std::string& input : node.inputs) {
        if (input != start && values.contains(input)) --open;
      }
      values.emplace(made, *result);
      const auto found_activation = result->activation();
      if (open == 0 && (found_activation || result->wraps())) {
        end = i;
        activation = found_activation.value_or(std::string_view());
        before_end = nodes;
      }
      nodes.insert(i);
      const auto found = takers_.find(made);
      if (found == takers_.end()) break;
      open += found->second.size();
      go_on(found->second);
    }
    if (!end) return;
    const OnnxNode& last = graph_->nodes[*end];
    Formula formula{start, activation};
    if (activation.empty()) formula.node = {last.name, "Identity", "", {start}, last.outputs, {}};
    formulas_.emplace(*end, std::move(formula));
    inside_.insert(before_end.begin(), before_end.end());
  }

  [[nodiscard]] static bool takes_only(const OnnxNode& node, const std::string& start,
                                       const std::map<std::string, OnnxSamples>& values) {
    for (const std::string& input : node.inputs) {
      if (input != start && values.contains(input)) return false;
    }
    return true;
  }

  /// The values of a node; nothing where it is not a function of the values before it and of
  /// constants.
  [[nodiscard]] std::optional<OnnxSamples> compute(
      const OnnxNode& node, const std::map<std::string, OnnxSamples>& values) const {
    if (!node.domain.empty() && node.domain != "ai.onnx") return std::nullopt;
    if (node.op == "Cast") return cast(node, values);
    for (const OnnxElementwise& one : onnx_elementwise) {
      if (one.op != node.op || one.operands != node.inputs.size() || node.outputs.size() != 1 ||
          !node.attributes.empty()) {
        continue;
      }
      OnnxSamples operands[3];
      for (std::size_t k = 0; k < node.inputs.size(); ++k) {
        if (const auto value = values.find(node.inputs[k]); value != values.end()) {
          operands[k] = value->second;
        } else if (const auto number = numbers_.find(node.inputs[k]); number != numbers_.end()) {
          operands[k] = OnnxSamples::constant(number->second);
        } else {
          return std::nullopt;
        }
      }
      OnnxSamples result;
      for (std::size_t k = 0; k < OnnxSamples::count; ++k) {
        result.values[k] =
            one.f(operands[0].values[k], operands[1].values[k], operands[2].values[k]);
      }
      return result;
    }
    return std::nullopt;
  }

  [[nodiscard]] static std::optional<OnnxSamples> cast(
      const OnnxNode& node, const std::map<std::string, OnnxSamples>& values) {
    const auto value = values.find(node.inputs.empty() ? std::string() : node.inputs[0]);
    const auto* const to =
        node.attributes.size() == 1 ? std::get_if<Index>(&node.attributes[0].value) : nullptr;
    const auto element = to ? onnx_element_of(*to) : std::nullopt;
    if (value == values.end() || node.outputs.size() != 1 || !element || size_of(*element) < 4) {
      return std::nullopt;
    }
    OnnxSamples result = value->second;
    if (!is_floating(*element)) {
      for (double& one : result.values) one = std::trunc(one);
    }
    return result;
  }

  const OnnxGraph* graph_;
  const OnnxSelection* selection_;
  std::map<std::string, double> numbers_;
  /// The needed nodes that take a value, once for each operand.
  std::map<std::string, std::vector<std::size_t>> takers_;
  std::map<std::size_t, Formula> formulas_;
  std::set<std::size_t> inside_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
