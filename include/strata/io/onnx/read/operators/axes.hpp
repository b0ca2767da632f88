#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/initial_states.hpp>
#include <strata/io/onnx/read/operators/layout.hpp>
#include <strata/io/onnx/read/operators/operands.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that keep all numbers and change the axes: their order, or their number.
class OnnxAxisMoves {
 public:
  [[nodiscard]] static OnnxValue transpose(OnnxCall& call) {
    const std::size_t rank = rank_of(call);
    auto perm = call.attribute<std::vector<Index>>("perm", {});
    for (std::size_t i = rank; perm.empty() && i-- > 0;) perm.push_back(static_cast<Index>(i));
    std::vector<std::size_t> order;
    for (const Index axis : perm) order.push_back(call.axis(axis, rank));
    std::vector<std::size_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    if (order.size() != rank || std::unique(sorted.begin(), sorted.end()) != sorted.end()) {
      call.attribute_where("perm").expected("each of " + std::to_string(rank) + " axes once",
                                            sizes_text(perm));
    }
    if (const auto* data = call.find<OnnxData>(0)) return with_axes(*data, order);
    if (const auto* states = call.find<OnnxInitialStates>(0)) {
      OnnxInitialStates result = *states;
      result.axes = taken(states->axes, order);
      return result;
    }
    if (const auto* table = call.find<OnnxTable>(0)) {
      return order[0] == 0 ? *table : table->transposed();
    }
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      return OnnxFilled{filled->value, taken(filled->shape, order)};
    }
    const Numbers& numbers = call.numbers(0);
    call.spend(numbers.values.size());
    return with_axes(numbers, order);
  }

  [[nodiscard]] static OnnxValue squeeze(OnnxCall& call) {
    if (const auto* integers = call.find<OnnxIntegers>(0)) {
      if (integers->scalar || integers->values.size() != 1) call.where().refuse("has no size of 1");
      (void)call.axes(1, 13);
      return OnnxIntegers{integers->values, true};
    }
    const std::size_t rank = rank_of(call);
    std::vector<bool> removed(rank, false);
    const auto axes = call.axes(1, 13);
    for (const Index axis : axes) removed[call.axis(axis, rank)] = true;
    if (const auto* data = call.find<OnnxData>(0)) {
      OnnxData result = *data;
      for (std::size_t i = rank; i-- > 0;) {
        if (axes.empty() ? result.size(i, call.where()).is(1) : removed[i]) {
          result = without_axis(std::move(result), i, call.where());
        }
      }
      return result;
    }
    if (const auto* states = call.find<OnnxInitialStates>(0)) {
      OnnxInitialStates result = *states;
      for (std::size_t i = rank; i-- > 0;) {
        if (axes.empty() ? result.size(i).is(1) : removed[i]) {
          result = without_axis(std::move(result), i, call.where());
        }
      }
      return result;
    }
    std::vector<OnnxSize> sizes = sizes_of(call);
    for (std::size_t i = rank; i-- > 0;) {
      if (axes.empty() ? !sizes[i].is(1) : !removed[i]) continue;
      if (!sizes[i].is(1))
        call.where().refuse("the size of axis " + std::to_string(i) + " is not 1");
      sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return with_sizes(call, std::move(sizes));
  }

  [[nodiscard]] static OnnxValue unsqueeze(OnnxCall& call) {
    const auto axes = call.axes(1, 13);
    if (const auto* integers = call.find<OnnxIntegers>(0); integers && integers->scalar) {
      return OnnxIntegers{integers->values, false};
    }
    const std::size_t rank = rank_of(call) + axes.size();
    if (rank > onnx_most_axes) call.where().refuse("has too many axes");
    std::vector<bool> added(rank, false);
    for (const Index axis : axes) {
      const std::size_t at = call.axis(axis, rank);
      if (added[at]) call.where().refuse("adds an axis twice");
      added[at] = true;
    }
    const auto insert_into = [&](auto& list, auto one) {
      for (std::size_t i = 0; i < rank; ++i) {
        if (added[i]) list.insert(list.begin() + static_cast<std::ptrdiff_t>(i), one);
      }
    };
    if (const auto* data = call.find<OnnxData>(0)) {
      OnnxData result = *data;
      insert_into(result.axes, std::vector<OnnxAtom>());
      return result;
    }
    if (const auto* states = call.find<OnnxInitialStates>(0)) {
      OnnxInitialStates result = *states;
      insert_into(result.axes, OnnxInitialStates::no_axis);
      return result;
    }
    std::vector<OnnxSize> sizes = sizes_of(call);
    insert_into(sizes, OnnxSize{1, 0, 0});
    return with_sizes(call, std::move(sizes));
  }

  /// Reshape of a constant. OnnxShapeLayers::reshape reads a Reshape in the chain.
  [[nodiscard]] static OnnxValue reshape(OnnxCall& call) {
    const auto& target = call.sizes(1);
    const bool copies = call.attribute<Index>("allowzero", 0) == 0;
    if (const auto* integers = call.find<OnnxIntegers>(0)) {
      if (target.values.size() == 2) return table_of(call, integers->values);
      if (target.values.size() > 2) call.where().refuse("makes whole numbers of a higher rank");
      return OnnxIntegers{integers->values, target.values.empty()};
    }
    if (const auto* table = call.find<OnnxTable>(0)) {
      const auto count = static_cast<Index>(table->values.size());
      if (target.values.size() != 1 || (!target.values[0].is(-1) && !target.values[0].is(count))) {
        call.where(1).expected(sizes_text({count}), onnx_sizes_text(target.values));
      }
      return OnnxIntegers{table->values, false};
    }
    const std::vector<OnnxSize> before = sizes_of(call);
    std::vector<OnnxSize> sizes = shape_of(call, 1);
    OnnxSize all{1, 0, 0};
    for (const OnnxSize& size : before) all = product(all, size, call.where());
    OnnxSize* unknown_size = nullptr;
    OnnxSize rest{1, 0, 0};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (copies && sizes[i].is(0) && i < before.size()) sizes[i] = before[i];
      if (sizes[i].is(-1) && !unknown_size) {
        unknown_size = &sizes[i];
      } else {
        rest = product(rest, sizes[i], call.where());
      }
    }
    if (unknown_size && all.is_number() && rest.is_number() && rest.number > 0) {
      *unknown_size = {all.number / rest.number};
    }
    return with_sizes(call, std::move(sizes));
  }

  [[nodiscard]] static OnnxValue flatten(OnnxCall& call) {
    call.require("axis", 1, 1);
    OnnxData x = call.data(0);
    if (x.axes.empty()) refuse_axes(x, call.where(0));
    std::vector<OnnxAtom> rest;
    for (std::size_t i = 1; i < x.axes.size(); ++i) {
      rest.insert(rest.end(), x.axes[i].begin(), x.axes[i].end());
    }
    x.axes = {x.axes[0], std::move(rest)};
    return x;
  }

 private:
  /// Whole numbers in rows and columns, one of whose counts may be -1.
  [[nodiscard]] static OnnxTable table_of(OnnxCall& call, std::vector<OnnxSize> values) {
    std::vector<Index> shape = call.integers(1);
    const auto count = static_cast<Index>(values.size());
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      const Index other = shape[1 - i];
      if (shape[i] == -1 && other > 0) shape[i] = count / other;
    }
    const bool fits = shape[0] > 0 && shape[1] > 0 && shape[0] <= count && shape[1] <= count &&
                      shape[0] * shape[1] == count;
    if (!fits) call.where(1).expected(std::to_string(count) + " numbers", sizes_text(shape));
    return {std::move(values), static_cast<std::size_t>(shape[1])};
  }

  [[nodiscard]] static OnnxValue with_sizes(OnnxCall& call, std::vector<OnnxSize> sizes) {
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      return OnnxFilled{filled->value, std::move(sizes)};
    }
    std::vector<Index> shape;
    for (const OnnxSize& size : sizes) {
      if (!size.is_number()) call.where().expected("constant sizes", size_text(size));
      shape.push_back(size.number);
    }
    const Numbers& numbers = call.numbers(0);
    call.spend(numbers.values.size());
    return reshaped(numbers, std::move(shape), call.where());
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
