#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/directions.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Add of two tensors: of the two directions of a layer, or of the input and output of layers.
class OnnxSums {
 public:
  static void add(OnnxReading& reading, OnnxCall& call) {
    const OnnxData& a = call.data(0);
    const OnnxData& b = call.data(1);
    const bool ends[] = {reading.chain.is_end(a), reading.chain.is_end(b)};
    if (ends[0] == ends[1]) return OnnxDirections::merge(reading, call, "sum");
    const std::size_t end = ends[0] ? 0 : 1;
    const OnnxData& x = end == 0 ? b : a;
    const auto before = reading.chain.layers_before(x);
    OnnxData y = reading.chain.settled(end == 0 ? a : b, call.where(end));
    const auto& layers = reading.chain.layers();
    if (!before || *before >= layers.size()) refuse_branch(call);
    if (axes_text(x.axes) != axes_text(y.axes) || !same_sizes(x, y, call.where())) {
      call.where().expected("two tensors of the same axes",
                            axes_text(x.axes) + " and " + axes_text(y.axes));
    }
    if (x.reversed != y.reversed) {
      call.where().refuse("adds steps from the last to the first to steps in order");
    }
    if (!reading.chain.add_input(*before)) refuse_branch(call);
    reading.give(std::move(y));
  }

 private:
  [[nodiscard]] static bool same_sizes(const OnnxData& a, const OnnxData& b, const Where& where) {
    for (std::size_t i = 0; i < a.axes.size(); ++i) {
      if (!(a.size(i, where) == b.size(i, where))) return false;
    }
    return true;
  }

  [[noreturn]] static void refuse_branch(const OnnxCall& call) {
    call.where().refuse(
        "joins two tensors: the graph branches, and of branches only the sum of a tensor and what "
        "layers make of it is read (Residual)");
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
