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

/// The state of reading a graph, which all operators share.
struct OnnxReading {
  OnnxChain chain;
  OnnxTakenStates states;
  /// The values that several nodes take, or a node and the output.
  std::set<std::string> shared;
  /// The outputs, in order, of the node that is read.
  std::vector<OnnxValue> results;
  /// Whether the input is read as (T, B, F).
  bool steps_first = false;
  /// Set by a node that could only be read with the steps first; the reading then begins anew.
  bool steps_must_be_first = false;

  void give(OnnxValue value) { results.push_back(std::move(value)); }
};

}  // namespace strata::inline STRATA_RUNTIME::io
