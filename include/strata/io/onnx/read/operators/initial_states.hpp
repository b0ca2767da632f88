#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Inputs of the graph that are states: parts of them, and the layers that take them.

namespace strata::inline STRATA_RUNTIME::io {

/// A part of the states along one axis. Throws FormatError where the size of the axis is not known,
/// where the places do not follow each other, and where a part of another axis was taken before.
[[nodiscard]] inline OnnxInitialStates part_of(OnnxInitialStates states, std::size_t axis,
                                               Index first, Index count, const Where& where) {
  const OnnxSize size = states.size(axis);
  if (first == 0 && size.is(count)) return states;
  const std::size_t origin = states.axes[axis];
  const bool fits = size.is_number() && first >= 0 && count > 0 && count <= size.number &&
                    first <= size.number - count;
  if (!fits || (states.cut != OnnxInitialStates::no_axis && states.cut != origin)) {
    where.refuse("takes a part of the states " + in_quotes(states.input) +
                 " that is not those of some layers; hand the states of all layers in as one "
                 "input, (layers, batch, units)");
  }
  states.first = states.cut == origin ? states.first + first : first;
  states.cut = origin;
  states.count = count;
  return states;
}

[[nodiscard]] inline OnnxInitialStates sliced(OnnxInitialStates states, const OnnxSlice& slice,
                                              const Where& where) {
  const OnnxSize size = states.size(slice.axis);
  if (!size.is_number() && slice.is_whole()) return states;
  const OnnxSlice::Range range = size.is_number() ? slice.range(size.number) : OnnxSlice::Range();
  if (slice.step != 1 && range.count > 1) {
    where.refuse("takes the states " + in_quotes(states.input) + " in another order");
  }
  return part_of(std::move(states), slice.axis, range.first, range.count, where);
}

/// The states without an axis of size 1. Throws FormatError on axes of other sizes.
[[nodiscard]] inline OnnxInitialStates without_axis(OnnxInitialStates states, std::size_t axis,
                                                    const Where& where) {
  if (!states.size(axis).is(1)) {
    where.refuse("takes an axis of size " + size_text(states.size(axis)) + " from the states " +
                 in_quotes(states.input));
  }
  states.axes.erase(states.axes.begin() + static_cast<std::ptrdiff_t>(axis));
  return states;
}

/// Which states of the inputs layers have taken so far. Each layer of strata's has a state of its
/// own, so that no two may take the same.
class OnnxTakenStates {
 public:
  [[nodiscard]] bool empty() const noexcept { return taken_.empty(); }

  /// Operand i of a recurrent node, its first state h or c. `directions`, `units`: of the node;
  /// `batch_first`: whether its states are (batch, directions, units), else (directions, batch,
  /// units). Throws FormatError on states of other sizes, and on states that a layer before took.
  void take(OnnxCall& call, std::size_t i, const OnnxInitialStates& states, Index directions,
            Index units, bool batch_first) {
    const Where where = call.where(i);
    const std::size_t places = batch_first ? 1 : 0;
    std::vector<OnnxSize> sizes;
    for (std::size_t axis = 0; axis < states.axes.size(); ++axis) {
      sizes.push_back(states.size(axis));
    }
    const std::size_t origin = sizes.size() == 3 ? states.axes[places] : 0;
    const bool fits = sizes.size() == 3 && sizes[places].is(directions) && sizes[2].is(units) &&
                      (states.cut == OnnxInitialStates::no_axis || states.cut == origin ||
                       origin == OnnxInitialStates::no_axis);
    if (!fits) {
      where.expected("states of the sizes " + std::string(batch_first ? "(B, " : "(") +
                         std::to_string(directions) + (batch_first ? ", " : ", B, ") +
                         std::to_string(units) + ") of the input " + in_quotes(states.input),
                     onnx_sizes_text(sizes));
    }
    for (Index place = states.first; place < states.first + directions; ++place) {
      if (taken_.emplace(states.input, place).second) continue;
      where.refuse("takes states of the input " + in_quotes(states.input) +
                   " that another operand takes too; each of strata's layers has states of its "
                   "own");
    }
  }

 private:
  std::set<std::pair<std::string, Index>> taken_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
