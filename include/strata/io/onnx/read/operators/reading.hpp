#pragma once

#include <utility>
#include <vector>

#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::io {

/// What the operators of a graph share while it is read.
struct OnnxReading {
  OnnxChain chain;
  /// The outputs of the node at hand, in their order.
  std::vector<OnnxValue> results;
  /// Whether the input is read as (T, B, F), and whether a node could only be read so.
  bool steps_first = false;
  bool steps_must_be_first = false;

  void give(OnnxValue value) { results.push_back(std::move(value)); }
};

}  // namespace strata::inline STRATA_TARGET::io
