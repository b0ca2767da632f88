#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/initial_states.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The order in which a graph takes the axes of its input.
enum class OnnxInputOrder { batch_steps_features, steps_batch_features, batch_features_steps };

/// Thrown where the graph must be read with the axes of its input in this order.
struct OnnxReadAgain {
  OnnxInputOrder order;
};

/// The state of reading a graph, which all operators share.
struct OnnxReading {
  OnnxChain chain;
  OnnxTakenStates states;
  /// The values that several nodes take, or a node and the output.
  std::set<std::string> shared;
  /// The outputs, in order, of the node that is read.
  std::vector<OnnxValue> results;
  /// The order in which the axes of the input are read.
  OnnxInputOrder order = OnnxInputOrder::batch_steps_features;
  /// Whether a layer has taken the steps and the features of the input as what they are.
  bool axes_are_known = false;

  /// Begins the reading anew where the input may have its axes in another order, in which a node
  /// could be read that cannot be read now.
  void try_order(OnnxInputOrder other) const {
    const bool free = other == OnnxInputOrder::steps_batch_features || !axes_are_known;
    if (order == OnnxInputOrder::batch_steps_features && free) throw OnnxReadAgain{other};
  }

  void give(OnnxValue value) { results.push_back(std::move(value)); }
};

}  // namespace strata::inline STRATA_RUNTIME::io
