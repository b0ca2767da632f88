#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/affine.hpp>
#include <strata/io/onnx/read/operators/initial_states.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/io/onnx/read/operators/sizes.hpp>
#include <strata/language/checked_arithmetic.hpp>
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
          "joins two tensors: the graph branches, and of branches only the sum of a tensor and "
          "what layers make of it is read (Residual)");
    }
    const bool in_order = a.directions == Directions::forward;
    OnnxData both = both_directions(in_order ? a : b, in_order ? b : a, call.where());
    both.merge = how;
    reading.give(std::move(both));
  }

  static void multiply(OnnxReading& reading, OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return reading.give(OnnxSizes::arithmetic(call, '*'));
    if (call.find<OnnxData>(0) && call.find<OnnxData>(1)) return merge(reading, call, "mul");
    const std::size_t at = call.find<OnnxData>(0) ? 0 : 1;
    if (!average(reading, call, at, 0.5)) OnnxAffines::read(reading, call, '*');
  }

  static void divide(OnnxReading& reading, OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return reading.give(OnnxSizes::arithmetic(call, '/'));
    if (!average(reading, call, 0, 2)) OnnxAffines::read(reading, call, '/');
  }

  static void reduce_sum(OnnxReading& reading, OnnxCall& call) { reduce(reading, call, 13, "sum"); }
  static void reduce_mean(OnnxReading& reading, OnnxCall& call) {
    reduce(reading, call, 18, "ave");
  }
  static void reduce_max(OnnxReading& reading, OnnxCall& call) {
    reduce(reading, call, 18, largest);
  }
  /// GlobalAveragePool and GlobalMaxPool, over all axes from the third on.
  static void pool_mean(OnnxReading& reading, OnnxCall& call) { pool(reading, call, false); }
  static void pool_max(OnnxReading& reading, OnnxCall& call) { pool(reading, call, true); }

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
    const auto& runs = x.axes[axis];
    const bool directions = is_only(runs, OnnxRun::directions) || is_both_directions(runs);
    const Index half = runs.empty() ? 0 : runs.back().size.number / (runs.size() == 1 ? 2 : 1);
    const bool halves = sizes.empty() || sizes == std::vector<Index>{half, half};
    if (!directions || !halves || call.outputs() != 2) {
      call.where().refuse("splits axis " + std::to_string(axis) + " of " + axes_text(x.axes) +
                          "; strata reads splits of two directions");
    }
    reading.give(sliced(x, {axis, 0, half, 1}, call.where()));
    reading.give(sliced(x, {axis, half, 2 * half, 1}, call.where()));
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
      if (detail::add_overflows(first, part, first)) call.where().refuse("has too large parts");
    }
  }

  /// Whether a product or quotient makes the mean of the sum of two directions, and does so.
  /// Operand `at` is the sum, and the other one must be `wanted`.
  [[nodiscard]] static bool average(OnnxReading& reading, OnnxCall& call, std::size_t at,
                                    double wanted) {
    const auto* const x = call.find<OnnxData>(at);
    const auto* const factor = call.find<Numbers>(1 - at);
    if (!x || !factor || x->merge != "sum" || !reading.chain.is_end(*x) ||
        factor->values.size() != 1 || factor->values[0] != wanted ||
        reading.shared.contains(call.operand(at))) {
      return false;
    }
    require_rank(*factor, *x, call.where());
    OnnxData mean = *x;
    mean.merge = "ave";
    reading.give(std::move(mean));
    return true;
  }

  static constexpr const char* largest = "max";

  /// Appends the layer that takes the mean or the largest numbers over the steps, which are an axis
  /// of size 1 then.
  [[nodiscard]] static OnnxData over_steps(OnnxReading& reading, OnnxCall& call, bool max,
                                           OnnxData x, std::size_t axis) {
    if (x.steps != OnnxData::Steps::all) call.where(0).refuse("has no steps");
    x = reading.chain.settled(std::move(x), call.where());
    x.axes[axis].clear();
    x.reversed = false;
    x.steps_by_name = false;
    return reading.chain.append(LayerDescription{max ? "MaxOverSteps" : "MeanOverSteps"}, {},
                                std::move(x), call.where());
  }

  static void pool(OnnxReading& reading, OnnxCall& call, bool max) {
    const OnnxData& x = call.data(0);
    const bool fits = x.axes.size() == 3 && is_only(x.axes[0], OnnxRun::batch) &&
                      is_only(x.axes[1], OnnxRun::features) && is_only(x.axes[2], OnnxRun::steps);
    if (!fits) call.where(0).expected("(batch, features, steps)", axes_text(x.axes));
    reading.give(over_steps(reading, call, max, x, 2));
  }

  /// A reduction over the directions, which merges them by `how`, or the mean or the largest
  /// numbers over all steps. Axes are an operand from opset `newer` on.
  static void reduce(OnnxReading& reading, OnnxCall& call, Index newer, const std::string& how) {
    const auto axes = call.axes(1, newer);
    call.ignore("noop_with_empty_axes");
    OnnxData x = call.data(0);
    const bool keeps = call.attribute<Index>("keepdims", 1) != 0;
    std::optional<std::size_t> found;
    std::vector<bool> reduced(x.axes.size(), false);
    for (const Index one : axes) {
      const std::size_t at = call.axis(one, x.axes.size());
      const bool again = reduced[at];
      reduced[at] = true;
      // An axis of size 1 without a meaning changes nothing.
      if (x.axes[at].empty()) continue;
      if (found || again) call.where().expected("one axis", sizes_text(axes));
      found = at;
    }
    if (!found) call.where().expected("one axis", sizes_text(axes));
    const std::size_t axis = *found;
    if (is_only(x.axes[axis], OnnxRun::directions) && how != largest) {
      x.merge = how;
      x.axes[axis].clear();
    } else if (is_only(x.axes[axis], OnnxRun::steps) && (how == "ave" || how == largest)) {
      x = over_steps(reading, call, how == largest, std::move(x), axis);
    } else {
      call.where().refuse("goes over axis " + std::to_string(axis) + " of " + axes_text(x.axes));
    }
    for (std::size_t i = reduced.size(); !keeps && i-- > 0;) {
      if (reduced[i]) x = without_axis(std::move(x), i, call.where());
    }
    reading.give(std::move(x));
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
