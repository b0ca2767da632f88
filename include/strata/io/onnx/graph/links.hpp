#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

[[nodiscard]] inline bool is_recurrent_operator(const std::string& op) noexcept {
  return op == "LSTM" || op == "GRU" || op == "RNN";
}

/// Which node of a graph makes a value. The graph must outlive this object.
class OnnxLinks {
 public:
  /// The output of a node.
  struct Maker {
    std::size_t node = 0;
    std::size_t output = 0;
  };

  /// Throws FormatError where two nodes make values of the same name.
  OnnxLinks(const OnnxGraph& graph, const Where& where) : graph_(&graph) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto& outputs = graph.nodes[i].outputs;
      for (std::size_t k = 0; k < outputs.size(); ++k) {
        if (outputs[k].empty() || makers_.emplace(outputs[k], Maker{i, k}).second) continue;
        where.refuse("there are two values of the name " + in_quotes(outputs[k]));
      }
    }
  }

  /// The maker of a value; null for an input or initializer.
  [[nodiscard]] const Maker* maker(const std::string& value) const {
    const auto found = makers_.find(value);
    return found == makers_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const OnnxNode& node(const Maker& maker) const { return graph_->nodes[maker.node]; }

  /// Goes from values back through the nodes that make them. `f(maker, value)` is called once for
  /// each value, where `maker` is null for a value that no node makes, and returns the values of
  /// the node to go on from.
  using Step = std::function<std::vector<std::string>(const Maker*, const std::string&)>;
  void walk_back(std::vector<std::string> from, const Step& f) const {
    std::map<std::string, bool> seen;
    while (!from.empty()) {
      const std::string value = std::move(from.back());
      from.pop_back();
      if (value.empty() || !seen.emplace(value, true).second) continue;
      for (std::string& next : f(maker(value), value)) from.push_back(std::move(next));
    }
  }

 private:
  const OnnxGraph* graph_;
  std::map<std::string, Maker> makers_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
