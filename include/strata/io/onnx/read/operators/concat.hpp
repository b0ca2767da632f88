#pragma once

#include <cstddef>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Concat of constants, of the two directions of a layer, or of the states of several layers.
class OnnxConcat {
 public:
  [[nodiscard]] static OnnxValue concat(OnnxCall& call) {
    const Index axis = call.attribute<Index>("axis", 0);
    if (call.inputs() == 0) call.where().refuse("joins nothing");
    if (call.inputs() == 1) return call.value(0);
    if (call.find<OnnxIntegers>(0)) {
      OnnxIntegers result;
      for (std::size_t i = 0; i < call.inputs(); ++i) {
        const auto& part = call.sizes(i).values;
        call.spend(part.size());
        result.values.insert(result.values.end(), part.begin(), part.end());
      }
      return result;
    }
    if (call.find<OnnxData>(0) || call.find<OnnxStates>(0)) return concat_data(call, axis);
    if (const auto* first = call.find<OnnxFilled>(0)) {
      OnnxFilled result = *first;
      const std::size_t at = call.axis(axis, result.shape.size());
      for (std::size_t i = 1; i < call.inputs(); ++i) {
        const auto* part = call.find<OnnxFilled>(i);
        if (!part || part->value != result.value || part->shape.size() != result.shape.size() ||
            !part->shape[at].is_number() || !result.shape[at].is_number() ||
            detail::add_overflows(result.shape[at].number, part->shape[at].number,
                                  result.shape[at].number)) {
          call.expected(i, "the same number in all places");
        }
      }
      return result;
    }
    std::vector<const Numbers*> parts;
    for (std::size_t i = 0; i < call.inputs(); ++i) {
      parts.push_back(&call.numbers(i));
      call.spend(parts.back()->values.size());
    }
    return concatenated(parts, call.axis(axis, parts[0]->shape.size()), call.where());
  }

 private:
  /// Concat of the two directions of a layer along the features, or of last states along the first
  /// axis.
  [[nodiscard]] static OnnxValue concat_data(OnnxCall& call, Index axis) {
    using Directions = OnnxData::Directions;
    using Steps = OnnxData::Steps;
    const auto* a = call.find<OnnxData>(0);
    const auto* b = call.find<OnnxData>(1);
    if (call.inputs() == 2 && a && b && a->directions == Directions::forward &&
        b->directions == Directions::backward) {
      OnnxData both = both_directions(*a, *b, call.where());
      auto& runs = both.axes[call.axis(axis, both.axes.size())];
      if (!is_only(runs, OnnxRun::features))
        call.where().refuse("joins directions in another axis");
      runs.insert(runs.begin(), {OnnxRun::directions, {2, 0, 0}});
      return both;
    }
    OnnxStates states;
    for (std::size_t i = 0; i < call.inputs(); ++i) {
      if (const auto* list = call.find<OnnxStates>(i)) {
        states.layers.insert(states.layers.end(), list->layers.begin(), list->layers.end());
      } else {
        states.layers.push_back(call.data(i));
      }
      const OnnxData& last = states.layers.back();
      if (axis != 0 || last.steps != Steps::final || last.axes.size() != 3 ||
          states.layers.size() > 100) {
        call.where().refuse(
            "joins tensors; strata reads that of the two directions of a layer, forward first, and "
            "of last states");
      }
    }
    return states;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
