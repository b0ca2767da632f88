#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Operations on constants. Exporters put weights together with them.

namespace strata::inline STRATA_RUNTIME::io {

/// The strides of one axis of an array: its size, and the products of the sizes of the axes before
/// it (`outer`) and behind it (`inner`).
struct OnnxStrides {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;

  OnnxStrides(const std::vector<Index>& shape, std::size_t axis) {
    for (std::size_t i = 0; i < shape.size(); ++i) {
      (i < axis ? outer : i == axis ? size : inner) *= static_cast<std::size_t>(shape[i]);
    }
  }
};

/// The entries of a list at some places, in the order of the places, which must lie within the
/// list.
template <class T, class Place>
[[nodiscard]] std::vector<T> taken(const std::vector<T>& from, const std::vector<Place>& places) {
  std::vector<T> list;
  for (const Place place : places) list.push_back(from[static_cast<std::size_t>(place)]);
  return list;
}
/// The entries of an array at some places of an axis, in the order of the places, which must lie
/// within the axis.
[[nodiscard]] inline Numbers taken(const Numbers& from, std::size_t axis,
                                   const std::vector<Index>& places) {
  const OnnxStrides strides(from.shape, axis);
  Numbers result{from.shape, {}};
  result.shape[axis] = static_cast<Index>(places.size());
  result.values.reserve(strides.outer * places.size() * strides.inner);
  for (std::size_t outer = 0; outer < strides.outer; ++outer) {
    for (const Index place : places) {
      const auto first =
          from.values.begin() +
          static_cast<std::ptrdiff_t>((outer * strides.size + static_cast<std::size_t>(place)) *
                                      strides.inner);
      result.values.insert(result.values.end(), first,
                           first + static_cast<std::ptrdiff_t>(strides.inner));
    }
  }
  return result;
}

/// Arrays joined along an axis. Throws FormatError where the sizes of another axis differ.
[[nodiscard]] inline Numbers concatenated(const std::vector<const Numbers*>& parts,
                                          std::size_t axis, const Where& where) {
  Numbers result{parts.front()->shape, {}};
  result.shape[axis] = 0;
  std::size_t count = 0;
  for (const Numbers* part : parts) {
    std::vector<Index> shape = result.shape;
    if (part->shape.size() == shape.size()) shape[axis] = part->shape[axis];
    check_shape(*part, shape, where);
    result.shape[axis] += part->shape[axis];
    count += part->values.size();
  }
  const OnnxStrides strides(result.shape, axis);
  result.values.reserve(count);
  for (std::size_t outer = 0; outer < strides.outer; ++outer) {
    for (const Numbers* part : parts) {
      const std::size_t width = static_cast<std::size_t>(part->shape[axis]) * strides.inner;
      const auto first = part->values.begin() + static_cast<std::ptrdiff_t>(outer * width);
      result.values.insert(result.values.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
  }
  return result;
}

/// The array with its axes in another order: axis i of the result is axis order[i] of `from`.
[[nodiscard]] inline Numbers with_axes(const Numbers& from, const std::vector<std::size_t>& order) {
  Numbers result{{}, std::vector<double>(from.values.size())};
  std::vector<std::size_t> steps(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.shape.push_back(from.shape[order[i]]);
    steps[i] = OnnxStrides(from.shape, order[i]).inner;
  }
  std::vector<std::size_t> at(order.size(), 0);
  for (double& value : result.values) {
    std::size_t place = 0;
    for (std::size_t i = 0; i < order.size(); ++i) place += at[i] * steps[i];
    value = from.values[place];
    for (std::size_t i = order.size(); i-- > 0;) {
      if (++at[i] < static_cast<std::size_t>(result.shape[i])) break;
      at[i] = 0;
    }
  }
  return result;
}

/// The part of a node Slice for one axis: it takes the places from `start` to before `end`, every
/// `step`-th. Negative places count from the end.
struct OnnxSlice {
  static constexpr Index end_of_axis = (std::numeric_limits<std::int32_t>::max)();

  std::size_t axis = 0;
  Index start = 0;
  Index end = 0;
  Index step = 1;

  /// The places that the slice takes of an axis of a known size, at least 0: the first place and
  /// their count.
  struct Range {
    Index first = 0;
    Index count = 0;
  };
  [[nodiscard]] Range range(Index size) const noexcept {
    const auto clamped = [size](Index at, Index low, Index high) {
      if (at < 0) at = at >= -size ? at + size : -1;
      return std::clamp(at, low, high);
    };
    const Index low = step > 0 ? 0 : -1;
    const Index high = step > 0 ? size : size - 1;
    const Index first = clamped(start, low, high);
    const Index stop = clamped(end, low, high);
    const Index distance = step > 0 ? stop - first : first - stop;
    if (distance <= 0) return {first, 0};
    const Index stride = step > 0 ? (std::min)(step, distance) : -(std::max)(step, -distance);
    return {first, 1 + (distance - 1) / stride};
  }
  /// The places that the slice takes of an axis of a known size, in order.
  [[nodiscard]] std::vector<Index> places(Index size) const {
    const Range taken = range(size);
    std::vector<Index> list;
    for (Index i = 0; i < taken.count; ++i) list.push_back(taken.first + i * step);
    return list;
  }

  // Questions about the slice that have an answer although the size of the axis is not known.
  [[nodiscard]] bool is_whole() const noexcept {
    return start == 0 && end >= end_of_axis && step == 1;
  }
  [[nodiscard]] bool is_reversed() const noexcept {
    return (start == -1 || start >= end_of_axis) && end <= -end_of_axis && step == -1;
  }
  [[nodiscard]] bool is_first() const noexcept { return start == 0 && end == 1 && step > 0; }
  [[nodiscard]] bool is_last() const noexcept {
    return start == -1 && end >= end_of_axis && step > 0;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
