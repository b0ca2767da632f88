#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/io/onnx/call.hpp>
#include <strata/io/onnx/constants.hpp>
#include <strata/io/onnx/layout.hpp>
#include <strata/io/onnx/value.hpp>
#include <strata/target.hpp>

// This header is longer than others: each operator is a few lines, for every kind of value that
// exporters apply it to.

namespace strata::inline STRATA_TARGET::io {

/// The operators on shapes, constants, states of zeros, and the axes of tensors. Each returns its
/// node's output, and throws FormatError on what it is not meant for here.
class OnnxShapes {
 public:
  explicit OnnxShapes(OnnxBudget& budget) : budget_(&budget) {}

  [[nodiscard]] OnnxValue identity(OnnxCall& call) const { return call.value(0); }

  [[nodiscard]] OnnxValue constant(OnnxCall& call) const {
    if (call.has_attribute("value")) {
      return value_of(call.attribute<OnnxTensor>("value", {}), call.attribute_where("value"));
    }
    if (call.has_attribute("value_int")) {
      return OnnxIntegers{{{call.attribute<Index>("value_int", 0)}}, true};
    }
    if (call.has_attribute("value_ints")) {
      OnnxIntegers integers;
      for (const Index one : call.attribute<std::vector<Index>>("value_ints", {})) {
        integers.values.push_back({one});
      }
      return integers;
    }
    if (call.has_attribute("value_float")) return Numbers{{}, {call.number("value_float", 0)}};
    if (call.has_attribute("value_floats")) {
      const auto list = call.attribute<std::vector<float>>("value_floats", {});
      return Numbers{{static_cast<Index>(list.size())}, {list.begin(), list.end()}};
    }
    call.where().refuse("has no numbers that strata reads");
  }

  /// Operand i as a shape.
  [[nodiscard]] static const std::vector<OnnxSize>& shape_of(OnnxCall& call, std::size_t i) {
    const auto& sizes = call.sizes(i).values;
    if (sizes.size() > most_axes) call.where(i).refuse("has too many axes");
    return sizes;
  }

  /// Of a tensor of the file.
  [[nodiscard]] static OnnxValue value_of(const OnnxTensor& tensor, const Where& where) {
    if (tensor.shape.size() > most_axes) where.refuse("has too many axes");
    if (is_floating(tensor.element)) {
      return numbers_of(ArrayView{tensor.element, tensor.shape, tensor.bytes}, where);
    }
    if (tensor.shape.size() > 1) {
      where.expected("whole numbers of rank 0 or 1", sizes_text(tensor.shape));
    }
    OnnxIntegers integers{{}, tensor.shape.empty()};
    const std::size_t size = size_of(tensor.element);
    for (std::size_t at = 0; at < tensor.bytes.size(); at += size) {
      const std::byte* bytes = tensor.bytes.data() + at;
      const Index value = size == 8   ? static_cast<Index>(read_word<std::uint64_t>(bytes))
                          : size == 4 ? static_cast<std::int32_t>(read_word<std::uint32_t>(bytes))
                                      : std::to_integer<Index>(*bytes);
      integers.values.push_back({value});
    }
    return integers;
  }

  [[nodiscard]] OnnxValue cast(OnnxCall& call) const {
    const Index code = call.attribute<Index>("to", 0);
    call.ignore("saturate");
    call.ignore("round_mode");
    const auto element = onnx_element_of(code);
    if (!element || *element == Element::boolean) {
      call.attribute_where("to").expected("a floating-point type, INT32 (6) or INT64 (7)",
                                          std::to_string(code));
    }
    const bool to_floating = is_floating(*element);
    if (const auto* integers = call.find<OnnxIntegers>(0); integers && to_floating) {
      Numbers numbers{{}, {}};
      for (const Index one : call.integers(0)) numbers.values.push_back(static_cast<double>(one));
      if (!integers->scalar) numbers.shape = {static_cast<Index>(numbers.values.size())};
      return numbers;
    }
    if (const auto* numbers = call.find<Numbers>(0); numbers && !to_floating) {
      return as_integers(*numbers, call);
    }
    if (const auto* data = call.find<OnnxData>(0)) {
      OnnxData cast = *data;
      if (to_floating && (cast.ids || size_of(*element) < 4)) {
        call.attribute_where("to").refuse(cast.ids
                                              ? "whole numbers are for an Embedding (Gather) alone"
                                              : "strata does not round within a model");
      }
      if (!to_floating) make_ids(cast, call);
      return cast;
    }
    return call.value(0);
  }

  [[nodiscard]] OnnxValue shape(OnnxCall& call) const {
    std::vector<OnnxSize> sizes;
    if (const auto* data = call.find<OnnxData>(0)) {
      for (std::size_t i = 0; i < data->axes.size(); ++i) {
        sizes.push_back(data->size(i, call.where()));
      }
    } else if (const auto* filled = call.find<OnnxFilled>(0)) {
      sizes = filled->shape;
    } else {
      for (const Index size : call.numbers(0).shape) sizes.push_back({size});
    }
    const auto rank = static_cast<Index>(sizes.size());
    const OnnxSlice slice{0, call.attribute<Index>("start", 0), call.attribute<Index>("end", rank)};
    return OnnxIntegers{taken(sizes, slice.places(rank)), false};
  }

  [[nodiscard]] OnnxValue constant_of_shape(OnnxCall& call) const {
    const OnnxTensor zero{"", Element::float32, {1}, std::vector<std::byte>(4)};
    const auto value = value_of(call.attribute<OnnxTensor>("value", zero), call.where());
    return OnnxFilled{only_value(value, call), shape_of(call, 0)};
  }

  /// Of constants alone.
  [[nodiscard]] OnnxValue expand(OnnxCall& call) const {
    std::vector<OnnxSize> shape = shape_of(call, 1);
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      for (std::size_t i = 0; i < filled->shape.size(); ++i) {
        if (i >= shape.size()) call.where().refuse("has fewer axes than its operand");
        OnnxSize& size = shape[shape.size() - 1 - i];
        if (size.is(1)) size = filled->shape[filled->shape.size() - 1 - i];
      }
      return OnnxFilled{filled->value, std::move(shape)};
    }
    return OnnxFilled{only_value(call.value(0), call), std::move(shape)};
  }

  [[nodiscard]] OnnxValue transpose(OnnxCall& call) const {
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
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      return OnnxFilled{filled->value, taken(filled->shape, order)};
    }
    const Numbers& numbers = call.numbers(0);
    budget_->spend(numbers.values.size(), call.where());
    return with_axes(numbers, order);
  }

  [[nodiscard]] OnnxValue squeeze(OnnxCall& call) const {
    if (const auto* integers = call.find<OnnxIntegers>(0)) {
      if (integers->scalar || integers->values.size() != 1) call.where().refuse("has no size of 1");
      (void)call.axes(1, 13);
      return OnnxIntegers{integers->values, true};
    }
    const std::size_t rank = rank_of(call);
    std::vector<bool> gone(rank, false);
    const auto axes = call.axes(1, 13);
    for (const Index axis : axes) gone[call.axis(axis, rank)] = true;
    if (const auto* data = call.find<OnnxData>(0)) {
      OnnxData result = *data;
      for (std::size_t i = rank; i-- > 0;) {
        if (axes.empty() ? result.size(i, call.where()).is(1) : gone[i]) {
          result = without_axis(std::move(result), i, call.where());
        }
      }
      return result;
    }
    std::vector<OnnxSize> sizes = sizes_of(call);
    for (std::size_t i = rank; i-- > 0;) {
      if (axes.empty() ? !sizes[i].is(1) : !gone[i]) continue;
      if (!sizes[i].is(1))
        call.where().refuse("the size of axis " + std::to_string(i) + " is not 1");
      sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return with_sizes(call, std::move(sizes));
  }

  [[nodiscard]] OnnxValue unsqueeze(OnnxCall& call) const {
    const auto axes = call.axes(1, 13);
    if (const auto* integers = call.find<OnnxIntegers>(0); integers && integers->scalar) {
      return OnnxIntegers{integers->values, false};
    }
    const std::size_t rank = rank_of(call) + axes.size();
    if (rank > most_axes) call.where().refuse("has too many axes");
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
    std::vector<OnnxSize> sizes = sizes_of(call);
    insert_into(sizes, OnnxSize{1, 0, 0});
    return with_sizes(call, std::move(sizes));
  }

  /// Of constants alone.
  [[nodiscard]] OnnxValue reshape(OnnxCall& call) const {
    const auto& target = call.sizes(1);
    const bool copies = call.attribute<Index>("allowzero", 0) == 0;
    if (const auto* integers = call.find<OnnxIntegers>(0)) {
      if (target.values.size() > 1) call.where().refuse("makes whole numbers of a higher rank");
      return OnnxIntegers{integers->values, target.values.empty()};
    }
    const std::vector<OnnxSize> before = sizes_of(call);
    std::vector<OnnxSize> sizes = shape_of(call, 1);
    OnnxSize all{1, 0, 0};
    for (const OnnxSize& size : before) all = product(all, size, call.where());
    OnnxSize* open = nullptr;
    OnnxSize rest{1, 0, 0};
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (copies && sizes[i].is(0) && i < before.size()) sizes[i] = before[i];
      if (sizes[i].is(-1) && !open) {
        open = &sizes[i];
      } else {
        rest = product(rest, sizes[i], call.where());
      }
    }
    if (open && all.is_number() && rest.is_number() && rest.number > 0) {
      *open = {all.number / rest.number};
    }
    return with_sizes(call, std::move(sizes));
  }

  /// The slices of a node Slice, one for each axis.
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

  [[nodiscard]] OnnxValue slice(OnnxCall& call) const {
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
          size.number = one.range(size.number).count;
        } else if (!one.is_whole()) {
          call.where().refuse("takes a part of an axis whose size is not known");
        }
      }
      return result;
    }
    Numbers result = call.numbers(0);
    for (const OnnxSlice& one : slices) {
      budget_->spend(result.values.size(), call.where());
      result = taken(result, one.axis, one.places(result.shape[one.axis]));
    }
    return result;
  }

  /// Of anything but a table of an embedding: constant places of an axis.
  [[nodiscard]] OnnxValue gather(OnnxCall& call) const {
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
    budget_->spend(checked_count(shape, call.where()), call.where());
    Numbers result = taken(numbers, axis, in_order);
    if (scalar) result.shape.erase(result.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    return result;
  }

  [[nodiscard]] OnnxValue concat(OnnxCall& call) const {
    const Index axis = call.attribute<Index>("axis", 0);
    if (call.inputs() == 1) return call.value(0);
    if (call.find<OnnxIntegers>(0)) {
      OnnxIntegers result;
      for (std::size_t i = 0; i < call.inputs(); ++i) {
        const auto& part = call.sizes(i).values;
        budget_->spend(part.size(), call.where());
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
            __builtin_add_overflow(result.shape[at].number, part->shape[at].number,
                                   &result.shape[at].number)) {
          call.expected(i, "the same number in all places");
        }
      }
      return result;
    }
    std::vector<const Numbers*> parts;
    for (std::size_t i = 0; i < call.inputs(); ++i) {
      parts.push_back(&call.numbers(i));
      budget_->spend(parts.back()->values.size(), call.where());
    }
    return concatenated(parts, call.axis(axis, parts[0]->shape.size()), call.where());
  }

  /// Whole numbers: Mul, Add, Sub.
  [[nodiscard]] OnnxValue arithmetic(OnnxCall& call, char sign) const {
    OnnxIntegers a = call.sizes(0);
    OnnxIntegers b = call.sizes(1);
    if (a.values.size() < b.values.size() || (a.scalar && !b.scalar)) {
      if (sign == '-') call.where().refuse("strata computes no such shapes");
      std::swap(a, b);
    }
    if (b.values.size() != 1 && b.values.size() != a.values.size()) {
      call.where().refuse("strata computes no such shapes");
    }
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      OnnxSize& to = a.values[i];
      const OnnxSize& by = b.values[b.values.size() == 1 ? 0 : i];
      if (sign == '*') {
        to = product(to, by, call.where());
        continue;
      }
      const bool overflow = sign == '+' ? __builtin_add_overflow(to.number, by.number, &to.number)
                                        : __builtin_sub_overflow(to.number, by.number, &to.number);
      if (overflow || !to.is_number() || !by.is_number()) {
        call.where().refuse("strata computes no such shapes");
      }
    }
    return a;
  }

  [[nodiscard]] OnnxValue product_of_sizes(OnnxCall& call) const {
    OnnxSize all{1, 0, 0};
    for (const OnnxSize& size : call.sizes(0).values) all = product(all, size, call.where());
    (void)call.axes(1, 18);
    return OnnxIntegers{{all}, call.attribute<Index>("keepdims", 1) == 0};
  }

 private:
  static constexpr std::size_t most_axes = 8;

  using Filling = std::variant<OnnxSize, double>;

  template <class T, class Place>
  [[nodiscard]] static std::vector<T> taken(const std::vector<T>& from,
                                            const std::vector<Place>& places) {
    std::vector<T> list;
    for (const Place place : places) list.push_back(from[static_cast<std::size_t>(place)]);
    return list;
  }
  [[nodiscard]] static Numbers taken(const Numbers& from, std::size_t axis,
                                     const std::vector<Index>& places) {
    return io::taken(from, axis, places);
  }

  [[nodiscard]] static std::vector<Index> in_range(std::vector<Index> places, std::size_t size,
                                                   const OnnxCall& call) {
    for (Index& place : places) place = static_cast<Index>(call.axis(place, size));
    return places;
  }

  [[nodiscard]] static std::size_t rank_of(OnnxCall& call) {
    if (const auto* data = call.find<OnnxData>(0)) return data->axes.size();
    if (const auto* states = call.find<OnnxStates>(0)) return states->layers[0].axes.size();
    if (const auto* integers = call.find<OnnxIntegers>(0)) return integers->scalar ? 0 : 1;
    return sizes_of(call).size();
  }

  /// Of constants and states of zeros.
  [[nodiscard]] static std::vector<OnnxSize> sizes_of(OnnxCall& call) {
    if (const auto* filled = call.find<OnnxFilled>(0)) return filled->shape;
    std::vector<OnnxSize> sizes;
    for (const Index size : call.numbers(0).shape) sizes.push_back({size});
    return sizes;
  }
  [[nodiscard]] OnnxValue with_sizes(OnnxCall& call, std::vector<OnnxSize> sizes) const {
    if (const auto* filled = call.find<OnnxFilled>(0)) {
      return OnnxFilled{filled->value, std::move(sizes)};
    }
    std::vector<Index> shape;
    for (const OnnxSize& size : sizes) {
      if (!size.is_number()) call.where().expected("constant sizes", size_text(size));
      shape.push_back(size.number);
    }
    const Numbers& numbers = call.numbers(0);
    budget_->spend(numbers.values.size(), call.where());
    return reshaped(numbers, std::move(shape), call.where());
  }

  /// The value of something that has one.
  [[nodiscard]] static Filling only_value(const OnnxValue& value, OnnxCall& call) {
    if (const auto* integers = std::get_if<OnnxIntegers>(&value)) {
      if (integers->values.size() == 1) return integers->values[0];
    } else if (const auto* numbers = std::get_if<Numbers>(&value)) {
      const auto& all = numbers->values;
      if (!all.empty() &&
          std::all_of(all.begin(), all.end(), [&](double one) { return one == all.front(); })) {
        return all.front();
      }
    }
    call.where().refuse("spreads more than one number over a tensor");
  }

  [[nodiscard]] static OnnxIntegers as_integers(const Numbers& numbers, const OnnxCall& call) {
    constexpr double most = 9.0e15;
    if (numbers.rank() > 1) call.where().refuse("makes whole numbers of a higher rank");
    OnnxIntegers integers{{}, numbers.rank() == 0};
    for (const double value : numbers.values) {
      if (!(std::abs(value) <= most)) call.where().refuse("makes a whole number of no number");
      integers.values.push_back({static_cast<Index>(value)});
    }
    return integers;
  }

  /// The graph's input as whole numbers, (B, T).
  static void make_ids(OnnxData& data, const OnnxCall& call) {
    if (data.ids) return;
    if (data.version != 0 || data.axes.size() != 2 || data.steps != OnnxData::Steps::all) {
      call.where().refuse("makes whole numbers of a tensor; strata takes those as input only");
    }
    data.ids = true;
    for (auto& axis : data.axes) {
      if (is_only(axis, OnnxRun::features)) axis[0].run = OnnxRun::steps;
    }
  }

  [[nodiscard]] static std::size_t directions_of(const OnnxData& state) noexcept {
    return state.axes.empty() || state.axes[0].empty() ? 1 : 2;
  }
  [[nodiscard]] static std::size_t count_of(const OnnxStates& states) noexcept {
    std::size_t count = 0;
    for (const OnnxData& state : states.layers) count += directions_of(state);
    return count;
  }
  /// One state, or both of a layer.
  [[nodiscard]] static OnnxData states_at(const OnnxStates& states,
                                          const std::vector<Index>& places, const OnnxCall& call) {
    std::size_t first = 0;
    for (const OnnxData& state : states.layers) {
      const std::size_t count = directions_of(state);
      const auto at = places.empty() ? first + count : static_cast<std::size_t>(places[0]);
      if (at >= first && at < first + count) {
        const auto place = static_cast<Index>(at - first);
        if (places.size() == 1) return sliced(state, slice_at(0, place), call.where());
        if (places.size() == 2 && count == 2 && places[1] == places[0] + 1 && place == 0) {
          return state;
        }
      }
      first += count;
    }
    call.where().refuse("takes the states of more than one layer");
  }

  /// The two directions side by side, or the states of several layers.
  [[nodiscard]] static OnnxValue concat_data(OnnxCall& call, Index axis) {
    using Directions = OnnxData::Directions;
    using Steps = OnnxData::Steps;
    const auto* a = call.find<OnnxData>(0);
    const auto* b = call.find<OnnxData>(1);
    if (call.inputs() == 2 && a && b && a->directions == Directions::forward &&
        b->directions == Directions::backward) {
      OnnxData both = both_directions(*a, *b, call);
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

 public:
  /// What the two directions of a layer have in common. Throws FormatError where they are not of
  /// the same layer and the same steps of their readings.
  [[nodiscard]] static OnnxData both_directions(const OnnxData& forward, const OnnxData& backward,
                                                const OnnxCall& call) {
    using Steps = OnnxData::Steps;
    OnnxData both = forward;
    both.directions = OnnxData::Directions::all;
    if (forward.version != backward.version || forward.reversed != backward.reversed ||
        axes_text(forward.axes) != axes_text(backward.axes)) {
      call.where().refuse("joins two tensors that are not the two directions of a layer");
    }
    if (forward.steps == backward.steps) return both;
    const bool last_of_each = (forward.steps == Steps::last || forward.steps == Steps::final) &&
                              (backward.steps == Steps::first || backward.steps == Steps::final);
    if (!last_of_each) call.where().refuse("joins other steps of one direction than of the other");
    both.steps = Steps::final;
    return both;
  }

 private:
  OnnxBudget* budget_;
};

}  // namespace strata::inline STRATA_TARGET::io
