#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Turns the weights of a layer into the constants of a node LSTM, GRU or RNN. The layer has U
/// units, G gates, and D directions, one or two.
class OnnxRecurrentWeights {
 public:
  /// `order`: gate g of ONNX is gate order[g] of strata, or, where order[g] is -1, zeros, since
  /// strata's layer has no such gate. The weights must outlive this object.
  OnnxRecurrentWeights(const OnnxWeights& weights, bool both, Index units, std::vector<int> order,
                       Where where)
      : units_(units), order_(std::move(order)), where_(std::move(where)) {
    directions_.push_back({&weights, both ? "forward." : ""});
    if (both) directions_.push_back({&weights, "backward."});
  }

  [[nodiscard]] std::size_t directions() const noexcept { return directions_.size(); }
  [[nodiscard]] bool has(const std::string& name) const {
    return directions_[0].find(name) != nullptr;
  }

  /// A kernel as (D, G U, N), from (N, G U) of each direction.
  [[nodiscard]] Numbers gates_of(const std::string& name) const {
    Numbers all;
    for (const Direction& direction : directions_) {
      append(all, transposed(in_order(*direction.find(name)), where_));
    }
    return all;
  }

  /// The biases (D, 2 G U). ONNX has one bias for the input product and one for the recurrent
  /// product; the second is zero where the layer has a single bias.
  [[nodiscard]] Numbers biases() const {
    Numbers all;
    const Index wide = static_cast<Index>(order_.size()) * units_;
    for (const Direction& direction : directions_) {
      Numbers bias = in_order(*direction.find("bias"));
      bias.values.resize(static_cast<std::size_t>(2 * wide), 0.0);
      bias.shape = {2 * wide};
      append(all, bias);
    }
    return all;
  }

  /// The peepholes (D, 3 U) in ONNX' order i, o, f; zeros for a gate that the layer does not have.
  [[nodiscard]] Numbers peepholes() const {
    Numbers all;
    for (const Direction& direction : directions_) {
      Numbers parts{{3 * units_}, {}};
      for (const char* name : {"peephole_input", "peephole_output", "peephole_forget"}) {
        const Numbers* const part = direction.find(name);
        const Numbers zeros{{units_}, std::vector<double>(static_cast<std::size_t>(units_))};
        const auto& values = part ? part->values : zeros.values;
        parts.values.insert(parts.values.end(), values.begin(), values.end());
      }
      append(all, parts);
    }
    return all;
  }

 private:
  struct Direction {
    const OnnxWeights* weights;
    std::string prefix;

    [[nodiscard]] const Numbers* find(const std::string& name) const {
      const auto found = weights->find(prefix + name);
      return found == weights->end() ? nullptr : &found->second;
    }
  };

  /// The numbers with the gates, blocks of U along the last axis, in ONNX' order.
  [[nodiscard]] Numbers in_order(Numbers numbers) const {
    std::vector<int> order = order_;
    const Index gates =
        static_cast<Index>(order.size()) - std::count(order.begin(), order.end(), -1);
    if (gates < static_cast<Index>(order.size())) {
      // A block of zeros at the end stands for the missing gate.
      const Index units = numbers.back() / gates;
      const Index rows = static_cast<Index>(numbers.values.size()) / numbers.back();
      Numbers wider{numbers.shape, {}};
      wider.shape.back() += units;
      for (Index row = 0; row < rows; ++row) {
        const auto first = numbers.values.begin() + row * numbers.back();
        wider.values.insert(wider.values.end(), first, first + numbers.back());
        wider.values.insert(wider.values.end(), static_cast<std::size_t>(units), 0.0);
      }
      std::replace(order.begin(), order.end(), -1, static_cast<int>(gates));
      numbers = std::move(wider);
    }
    return permute_gates(numbers, static_cast<Index>(order.size()), order, where_);
  }

  /// Appends `one` along a new first axis of `all`.
  static void append(Numbers& all, const Numbers& one) {
    if (all.shape.empty()) {
      all.shape = one.shape;
      all.shape.insert(all.shape.begin(), 0);
    }
    ++all.shape[0];
    all.values.insert(all.values.end(), one.values.begin(), one.values.end());
  }

  Index units_;
  std::vector<int> order_;
  Where where_;
  std::vector<Direction> directions_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
