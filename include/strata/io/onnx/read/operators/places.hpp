#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/initial_states.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/io/onnx/read/operators/operands.hpp>
#include <strata/io/onnx/read/operators/states.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that take some places of an axis, or all of them in another order.
class OnnxPlaces {
 public:
  [[nodiscard]] static OnnxValue slice(OnnxCall& call) {
    const auto slices = slices_of(call, rank_of(call));
    if (const auto* data = call.find<OnnxData>(0)) {
      OnnxData result = *data;
      for (const OnnxSlice& one : slices) result = sliced(std::move(result), one, call.where());
      return result;
    }
    if (const auto* states = call.find<OnnxStates>(0)) {
      if (slices.size() != 1 || slices[0].axis != 0) call.where().refuse("cuts through states");
      const auto places = slices[0].places(static_cast<Index>(count_of(*states)));
      return states_at(*states, places, call);
    }
    if (const auto* states = call.find<OnnxInitialStates>(0)) {
      OnnxInitialStates result = *states;
      for (const OnnxSlice& one : slices) result = sliced(std::move(result), one, call.where());
      return result;
    }
    if (const auto* table = call.find<OnnxTable>(0)) {
      OnnxTable result = *table;
      for (const OnnxSlice& one : slices) {
        const std::size_t size = one.axis == 0 ? result.rows() : result.columns;
        const auto places = one.places(static_cast<Index>(size));
        if (places.empty()) call.where().refuse("takes no numbers");
        result = result.taken(one.axis, places);
      }
      return result;
    }
    if (const auto* integers = call.find<OnnxIntegers>(0)) {
      std::vector<OnnxSize> values = integers->values;
      for (const OnnxSlice& one : slices) {
        values = taken(values, one.places(static_cast<Index>(values.size())));
      }
      return OnnxIntegers{std::move(values), false};
    }
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      OnnxFilled result = *filled;
      for (const OnnxSlice& one : slices) {
        OnnxSize& size = result.shape[one.axis];
        if (size.is_number()) {
          if (size.number < 0) call.where(0).expected("sizes of at least 0", size_text(size));
          size.number = one.range(size.number).count;
        } else if (!one.is_whole()) {
          call.where().refuse("takes a part of an axis whose size is not known");
        }
      }
      return result;
    }
    Numbers result = call.numbers(0);
    for (const OnnxSlice& one : slices) {
      call.spend(result.values.size());
      result = taken(result, one.axis, one.places(result.shape[one.axis]));
    }
    return result;
  }

  /// Gather of constant places of an axis. OnnxShapeLayers::gather reads the Gather of an
  /// Embedding.
  [[nodiscard]] static OnnxValue gather(OnnxCall& call) {
    const std::size_t rank = rank_of(call);
    const std::size_t axis = call.axis(call.attribute<Index>("axis", 0), rank);
    const bool scalar = call.sizes(1).scalar;
    const auto places = call.integers(1);
    if (const auto* data = call.find<OnnxData>(0)) {
      if (places.size() != 1) call.where(1).expected("one place", sizes_text(places));
      OnnxData result = sliced(*data, slice_at(axis, places[0]), call.where());
      return scalar ? without_axis(std::move(result), axis, call.where()) : result;
    }
    if (const auto* states = call.find<OnnxStates>(0)) {
      if (axis != 0) call.where().refuse("cuts through states");
      OnnxData result = states_at(*states, in_range(places, count_of(*states), call), call);
      return scalar ? without_axis(std::move(result), 0, call.where()) : result;
    }
    if (const auto* states = call.find<OnnxInitialStates>(0)) {
      if (places.size() != 1) call.where(1).expected("one place", sizes_text(places));
      OnnxInitialStates result = sliced(*states, slice_at(axis, places[0]), call.where());
      return scalar ? without_axis(std::move(result), axis, call.where()) : result;
    }
    if (const auto* integers = call.find<OnnxIntegers>(0)) {
      return OnnxIntegers{taken(integers->values, in_range(places, integers->values.size(), call)),
                          scalar};
    }
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      OnnxFilled result = *filled;
      if (scalar) {
        result.shape.erase(result.shape.begin() + static_cast<std::ptrdiff_t>(axis));
      } else {
        result.shape[axis] = {static_cast<Index>(places.size())};
      }
      return result;
    }
    const Numbers& numbers = call.numbers(0);
    const auto in_order = in_range(places, static_cast<std::size_t>(numbers.shape[axis]), call);
    std::vector<Index> shape = numbers.shape;
    shape[axis] = static_cast<Index>(in_order.size());
    call.spend(checked_count(shape, call.where()));
    Numbers result = taken(numbers, axis, in_order);
    if (scalar) result.shape.erase(result.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    return result;
  }

  [[nodiscard]] static OnnxValue reverse_sequence(OnnxCall& call) {
    OnnxData x = call.data(0);
    const std::size_t steps = call.axis(call.attribute<Index>("time_axis", 0), x.axes.size());
    const std::size_t batch = call.axis(call.attribute<Index>("batch_axis", 1), x.axes.size());
    if (!is_only(x.axes[steps], OnnxRun::steps) || !is_only(x.axes[batch], OnnxRun::batch)) {
      refuse_axes(x, call.where(0));
    }
    std::vector<OnnxSize> lengths;
    if (const auto* filled = call.find<OnnxFilled>(1)) {
      if (const auto* size = std::get_if<OnnxSize>(&filled->value)) lengths = {*size};
    } else {
      lengths = call.sizes(1).values;
    }
    const OnnxSize& all = x.axes[steps][0].size;
    if (lengths.empty() ||
        !std::all_of(lengths.begin(), lengths.end(), [&](const auto& one) { return one == all; })) {
      call.where(1).refuse("reverses fewer than all steps");
    }
    x.reversed = !x.reversed;
    return x;
  }

 private:
  /// The slices of a node Slice, one for each axis that it names.
  [[nodiscard]] static std::vector<OnnxSlice> slices_of(OnnxCall& call, std::size_t rank) {
    const bool operands = call.opset() >= 10;
    const auto list = [&](std::size_t i, const char* name) {
      if (!operands) return call.attribute<std::vector<Index>>(name, {});
      return call.has(i) ? call.integers(i) : std::vector<Index>();
    };
    const auto starts = list(1, "starts");
    const auto ends = list(2, "ends");
    auto axes = list(3, "axes");
    auto steps = operands ? list(4, "") : std::vector<Index>();
    if (axes.empty()) {
      axes.resize(starts.size());
      std::iota(axes.begin(), axes.end(), Index{0});
    }
    if (steps.empty()) steps.assign(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size() ||
        steps.size() != starts.size()) {
      call.where().refuse("starts, ends, axes and steps are not as many as each other");
    }
    std::vector<OnnxSlice> slices;
    for (std::size_t i = 0; i < starts.size(); ++i) {
      if (steps[i] == 0) call.where().refuse("has a step of 0");
      slices.push_back({call.axis(axes[i], rank), starts[i], ends[i], steps[i]});
    }
    return slices;
  }

  [[nodiscard]] static std::vector<Index> in_range(std::vector<Index> places, std::size_t size,
                                                   const OnnxCall& call) {
    for (Index& place : places) place = static_cast<Index>(call.axis(place, size));
    return places;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
