#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/read/selection.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Finds layer normalizations that a graph writes as several nodes, as exporters do for operators
/// before version 17: (x - mean) / sqrt(mean((x - mean)^2) + epsilon) gamma + beta, where gamma and
/// beta may be missing.
class OnnxNormalizationFormulas {
 public:
  struct Formula {
    /// The LayerNormalization that the formula is.
    OnnxNode node;
    /// The nodes of the formula besides its end.
    std::set<std::size_t> inside;
  };

  /// `numbers`: the constants of one number. `takers`: the needed nodes that take a value, once for
  /// each operand. All arguments must outlive this object.
  OnnxNormalizationFormulas(const OnnxGraph& graph, const OnnxSelection& selection,
                            const std::map<std::string, double>& numbers,
                            const std::map<std::string, std::vector<std::size_t>>& takers)
      : graph_(&graph), selection_(&selection), numbers_(&numbers), takers_(&takers) {
    for (const OnnxTensor& tensor : graph.initializers) constants_.insert(tensor.name);
    for (const OnnxNode& node : graph.nodes) {
      if (node.op == "Constant" && !node.outputs.empty()) constants_.insert(node.outputs[0]);
    }
  }

  /// The formulas by the places of the nodes at which they end.
  [[nodiscard]] std::map<std::size_t, Formula> find() const {
    std::map<std::size_t, Formula> found;
    for (std::size_t i = 0; i < graph_->nodes.size(); ++i) {
      if (!selection_->needs(i)) continue;
      std::optional<Part> part = normalized(i);
      if (!part) continue;
      std::size_t end = i;
      OnnxNode node{"", "LayerNormalization", "", {part->operand}, {}, {}};
      // Without gamma there is no place for beta but that of a Rescaling.
      if (const auto scaled = only_taker(end, "Mul")) {
        part->nodes.insert(std::exchange(end, scaled->first));
        node.inputs.push_back(scaled->second);
        if (const auto shifted = only_taker(end, "Add")) {
          part->nodes.insert(std::exchange(end, shifted->first));
          node.inputs.push_back(shifted->second);
        }
      }
      if (!is_closed(part->nodes, end)) continue;
      node.name = graph_->nodes[end].name;
      node.outputs = graph_->nodes[end].outputs;
      node.attributes = {{"axis", part->axis}, {"epsilon", static_cast<float>(part->epsilon)}};
      found.emplace(end, Formula{std::move(node), std::move(part->nodes)});
    }
    return found;
  }

 private:
  /// (x - mean) / sqrt(variance + epsilon), by its nodes besides the last.
  struct Part {
    std::string operand;
    Index axis = 0;
    double epsilon = 0;
    std::set<std::size_t> nodes = {};
  };

  [[nodiscard]] std::optional<Part> normalized(std::size_t end) const {
    const OnnxNode& node = graph_->nodes[end];
    if (!is_plain(node, 2)) return std::nullopt;
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}}) {
      if (at == 1 && node.op != "Mul") continue;
      Part part;
      const auto deviation = node.op == "Div"   ? root(node.inputs[1], part)
                             : node.op == "Mul" ? inverse_root(node.inputs[1 - at], part)
                                                : std::nullopt;
      const auto squares = deviation ? variance(*deviation, part) : std::nullopt;
      if (!squares) continue;
      const auto first = centered(*squares, part);
      const auto second = centered(node.inputs[at], part);
      if (first && second && *first == *second) {
        part.operand = *first;
        return part;
      }
    }
    return std::nullopt;
  }

  /// The operand of 1 / sqrt(v).
  [[nodiscard]] std::optional<std::string> inverse_root(const std::string& value,
                                                        Part& part) const {
    if (const OnnxNode* const node = made_by(value, "Reciprocal", 1, part)) {
      return root(node->inputs[0], part);
    }
    const OnnxNode* const node = made_by(value, "Div", 2, part);
    return node && is_number(node->inputs[0], 1) ? root(node->inputs[1], part) : std::nullopt;
  }

  /// The operand of sqrt(v).
  [[nodiscard]] std::optional<std::string> root(const std::string& value, Part& part) const {
    if (const OnnxNode* const node = made_by(value, "Sqrt", 1, part)) return node->inputs[0];
    const OnnxNode* const node = made_by(value, "Pow", 2, part);
    return node && is_number(node->inputs[1], 0.5) ? std::optional(node->inputs[0]) : std::nullopt;
  }

  /// d of mean(d^2) + epsilon.
  [[nodiscard]] std::optional<std::string> variance(const std::string& value, Part& part) const {
    const OnnxNode* const sum = made_by(value, "Add", 2, part);
    if (!sum) return std::nullopt;
    const std::size_t at = numbers_->contains(sum->inputs[0]) ? 0 : 1;
    const auto epsilon = numbers_->find(sum->inputs[at]);
    if (epsilon == numbers_->end()) return std::nullopt;
    part.epsilon = epsilon->second;
    const auto squares = mean(sum->inputs[1 - at], part, nullptr);
    if (!squares) return std::nullopt;
    if (const OnnxNode* const power = made_by(*squares, "Pow", 2, part)) {
      return is_number(power->inputs[1], 2) ? std::optional(power->inputs[0]) : std::nullopt;
    }
    const OnnxNode* const square = made_by(*squares, "Mul", 2, part);
    const bool twice = square && square->inputs[0] == square->inputs[1];
    return twice ? std::optional(square->inputs[0]) : std::nullopt;
  }

  /// x of x - mean(x), whose mean goes over the axis of the variance.
  [[nodiscard]] std::optional<std::string> centered(const std::string& value, Part& part) const {
    const OnnxNode* const node = made_by(value, "Sub", 2, part);
    if (!node) return std::nullopt;
    const auto x = mean(node->inputs[1], part, &part.axis);
    return x && *x == node->inputs[0] ? x : std::nullopt;
  }

  /// The operand of a mean over one axis, which stays with a size of 1. `axis`: the axis that it
  /// must be; null, to set that of the part.
  [[nodiscard]] std::optional<std::string> mean(const std::string& value, Part& part,
                                                const Index* axis) const {
    const auto* const maker = selection_->links().maker(value);
    if (!maker) return std::nullopt;
    const OnnxNode& node = selection_->links().node(*maker);
    if (node.op != "ReduceMean" || !is_of_onnx(node) || node.inputs.empty()) return std::nullopt;
    std::optional<Index> found;
    if (node.inputs.size() == 2) {
      const auto number = numbers_->find(node.inputs[1]);
      if (number != numbers_->end()) found = static_cast<Index>(number->second);
    }
    for (const OnnxAttribute& one : node.attributes) {
      const auto* const list = std::get_if<std::vector<Index>>(&one.value);
      const auto* const number = std::get_if<Index>(&one.value);
      if (one.name == "axes" && list && list->size() == 1) {
        found = list->front();
      } else if (!number || *number != (one.name == "keepdims" ? 1 : 0)) {
        return std::nullopt;
      }
    }
    if (!found || (axis && *axis != *found)) return std::nullopt;
    part.axis = *found;
    part.nodes.insert(maker->node);
    return node.inputs[0];
  }

  /// The node that makes a value, where it is this operator without settings; else null.
  [[nodiscard]] const OnnxNode* made_by(const std::string& value, std::string_view op,
                                        std::size_t operands, Part& part) const {
    const auto* const maker = selection_->links().maker(value);
    if (!maker) return nullptr;
    const OnnxNode& node = selection_->links().node(*maker);
    if (node.op != op || !is_plain(node, operands)) return nullptr;
    part.nodes.insert(maker->node);
    return &node;
  }

  /// The place of the only node that takes a node's output, where it is this operator, and the
  /// constants that are its other operand.
  [[nodiscard]] std::optional<std::pair<std::size_t, std::string>> only_taker(
      std::size_t node, std::string_view op) const {
    const std::string& made = graph_->nodes[node].outputs[0];
    const auto found = takers_->find(made);
    if (made == selection_->output().name || found == takers_->end() || found->second.size() != 1) {
      return std::nullopt;
    }
    const OnnxNode& taker = graph_->nodes[found->second[0]];
    if (taker.op != op || !is_plain(taker, 2)) return std::nullopt;
    const std::string& other = taker.inputs[taker.inputs[0] == made ? 1 : 0];
    if (!constants_.contains(other)) return std::nullopt;
    return std::pair(found->second[0], other);
  }

  /// Whether nobody outside takes a value that these nodes make.
  [[nodiscard]] bool is_closed(const std::set<std::size_t>& nodes, std::size_t end) const {
    for (const std::size_t node : nodes) {
      const std::string& made = graph_->nodes[node].outputs[0];
      if (made == selection_->output().name) return false;
      const auto found = takers_->find(made);
      if (found == takers_->end()) continue;
      for (const std::size_t taker : found->second) {
        if (taker != end && !nodes.contains(taker)) return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool is_number(const std::string& value, double wanted) const {
    const auto found = numbers_->find(value);
    return found != numbers_->end() && found->second == wanted;
  }
  [[nodiscard]] static bool is_of_onnx(const OnnxNode& node) {
    return (node.domain.empty() || node.domain == "ai.onnx") && node.outputs.size() == 1;
  }
  [[nodiscard]] static bool is_plain(const OnnxNode& node, std::size_t operands) {
    return is_of_onnx(node) && node.inputs.size() == operands && node.attributes.empty();
  }

  const OnnxGraph* graph_;
  const OnnxSelection* selection_;
  const std::map<std::string, double>* numbers_;
  const std::map<std::string, std::vector<std::size_t>>* takers_;
  std::set<std::string> constants_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
