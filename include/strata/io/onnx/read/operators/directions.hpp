#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/initial_states.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/io/onnx/read/operators/sizes.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that merge the two directions of a layer, or split them. Some of these operators also
/// work on sizes, or take the mean over steps.
class OnnxDirections {
 public:
  /// An operator on two tensors, which must be the two directions of one layer. `how`: the merge
  /// mode of Bidirectional.
  static void merge(OnnxReading& reading, OnnxCall& call, const char* how) {
    const OnnxData& a = call.data(0);
    const OnnxData& b = call.data(1);
    using Directions = OnnxData::Directions;
    if (a.directions == Directions::all || b.directions == Directions::all ||
        a.directions == b.directions) {
      call.where().refuse(
          "joins two tensors: the graph branches, and only chains of layers are read");
    }
    const bool in_order = a.directions == Directions::forward;
    OnnxData both = both_directions(in_order ? a : b, in_order ? b : a, call.where());
    both.merge = how;
    reading.give(std::move(both));
  }

  static void multiply(OnnxReading& reading, OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return reading.give(OnnxSizes::arithmetic(call, '*'));
    if (call.find<OnnxData>(0) && call.find<OnnxData>(1)) return merge(reading, call, "mul");
    const std::size_t constant = call.find<OnnxData>(0) ? 1 : 0;
    average(reading, call, call.data(1 - constant), call.numbers(constant), 0.5);
  }

  static void divide(OnnxReading& reading, OnnxCall& call) {
    average(reading, call, call.data(0), call.numbers(1), 2);
  }

  static void reduce_sum(OnnxReading& reading, OnnxCall& call) { reduce(reading, call, 13, "sum"); }
  static void reduce_mean(OnnxReading& reading, OnnxCall& call) {
    reduce(reading, call, 18, "ave");
  }
  static void reduce_product(OnnxReading& reading, OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return reading.give(OnnxSizes::product_of_sizes(call));
    reduce(reading, call, 18, "mul");
  }

  static void split(OnnxReading& reading, OnnxCall& call) {
    const Index axis_number = call.attribute<Index>("axis", 0);
    const auto sizes = call.opset() >= 13 ? (call.has(1) ? call.integers(1) : std::vector<Index>())
                                          : call.attribute<std::vector<Index>>("split", {});
    call.ignore("num_outputs");
    if (const auto* states = call.find<OnnxInitialStates>(0)) {
      return split_states(reading, call, *states, call.axis(axis_number, states->axes.size()),
                          sizes);
    }
    const OnnxData& x = call.data(0);
    const std::size_t axis = call.axis(axis_number, x.axes.size());
    const bool halves = sizes.empty() || sizes == std::vector<Index>{1, 1};
    if (!is_only(x.axes[axis], OnnxRun::directions) || !halves || call.outputs() != 2) {
      call.where().refuse("splits axis " + std::to_string(axis) + " of " + axes_text(x.axes) +
                          "; strata reads splits of two directions");
    }
    reading.give(sliced(x, slice_at(axis, 0), call.where()));
    reading.give(sliced(x, slice_at(axis, 1), call.where()));
  }

 private:
  /// `parts`: the sizes of the parts; empty for parts of equal sizes.
  static void split_states(OnnxReading& reading, OnnxCall& call, const OnnxInitialStates& states,
                           std::size_t axis, std::vector<Index> parts) {
    const OnnxSize size = states.size(axis);
    if (!size.is_number()) call.where().refuse("splits an axis whose size is not known");
    if (parts.empty() && call.outputs() > 0) {
      const auto count = static_cast<Index>(call.outputs());
      for (Index rest = size.number, part = (size.number + count - 1) / count; rest > 0;
           rest -= part) {
        parts.push_back(std::min(part, rest));
        if (parts.size() > call.outputs()) break;
      }
    }
    if (parts.size() != call.outputs()) {
      call.where().expected(std::to_string(call.outputs()) + " parts", sizes_text(parts));
    }
    Index first = 0;
    for (const Index part : parts) {
      reading.give(part_of(states, axis, first, part, call.where()));
      if (__builtin_add_overflow(first, part, &first)) call.where().refuse("has too large parts");
    }
  }

  static void average(OnnxReading& reading, OnnxCall& call, OnnxData x, const Numbers& factor,
                      double wanted) {
    if (x.merge != "sum" || !reading.chain.is_end(x) || factor.values.size() != 1 ||
        factor.values[0] != wanted) {
      call.where().refuse(
          "multiplies a tensor with constants, which of strata's layers only the mean of two "
          "directions does");
    }
    require_rank(factor, x, call.where());
    x.merge = "ave";
    reading.give(std::move(x));
  }

  /// A reduction over the directions, which merges them by `how`, or the mean over all steps. Axes
  /// are an operand from opset `newer` on.
  static void reduce(OnnxReading& reading, OnnxCall& call, Index newer, const std::string& how) {
    const auto axes = call.axes(1, newer);
    OnnxData x = call.data(0);
    const bool keeps = call.attribute<Index>("keepdims", 1) != 0;
    call.require("noop_with_empty_axes", 0, 0);
    if (axes.size() != 1) call.where().expected("one axis", sizes_text(axes));
    const std::size_t axis = call.axis(axes[0], x.axes.size());
    if (is_only(x.axes[axis], OnnxRun::directions)) {
      x.merge = how;
      x.axes[axis].clear();
    } else if (is_only(x.axes[axis], OnnxRun::steps) && how == "ave") {
      x = reading.chain.settled(std::move(x), call.where());
      x.axes[axis].clear();
      x.reversed = false;
      x = reading.chain.append(LayerDescription{"MeanOverSteps"}, {}, std::move(x), call.where());
    } else {
      call.where().refuse("goes over axis " + std::to_string(axis) + " of " + axes_text(x.axes));
    }
    reading.give(keeps ? std::move(x) : without_axis(std::move(x), axis, call.where()));
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
