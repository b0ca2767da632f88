#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/target.hpp>

// Operations on the axes of a tensor, on one place of an axis, and on two directions. None of them
// appends a layer.

namespace strata::inline STRATA_RUNTIME::io {

/// The tensor with its axes in another order: axis i of the result is axis order[i] of `data`.
[[nodiscard]] inline OnnxData with_axes(OnnxData data, const std::vector<std::size_t>& order) {
  OnnxAxes axes;
  for (const std::size_t axis : order) axes.push_back(data.axes[axis]);
  data.axes = std::move(axes);
  return data;
}

/// The tensor at its first or last step. The axis of the steps stays, with a size of 1.
[[nodiscard]] inline OnnxData with_step(OnnxData data, std::size_t axis, OnnxData::Steps step) {
  data.axes[axis].clear();
  data.steps = step;
  return data;
}

/// The tensor without an axis of size 1. Throws FormatError on axes of other sizes, and on the
/// batch.
[[nodiscard]] inline OnnxData without_axis(OnnxData data, std::size_t axis, const Where& where) {
  const auto& runs = data.axes[axis];
  if (is_only(runs, OnnxRun::steps) && runs[0].size.is(1)) {
    data = with_step(std::move(data), axis, OnnxData::Steps::last);
  }
  const bool one_feature = is_only(runs, OnnxRun::features) && runs[0].size.is(1);
  if (!data.axes[axis].empty() && !one_feature) {
    where.refuse("takes away axis " + std::to_string(axis) + " of " + axes_text(data.axes));
  }
  data.axes.erase(data.axes.begin() + static_cast<std::ptrdiff_t>(axis));
  return data;
}

/// A slice that takes away the steps that a convolution put behind. Throws FormatError on others.
[[nodiscard]] inline OnnxData without_steps_behind(OnnxData data, const OnnxSlice& slice,
                                                   const Where& where) {
  OnnxSize& size = data.axes[slice.axis][0].size;
  const OnnxSlice::Range range = size.is_number() ? slice.range(size.number) : OnnxSlice::Range();
  const bool fits =
      slice.step == 1 &&
      (size.is_number() ? range.first == 0 && range.count == size.number - data.steps_behind
                        : slice.start == 0 && slice.end == -data.steps_behind);
  if (!fits) {
    where.refuse("takes other steps than all but the last " + std::to_string(data.steps_behind) +
                 ", which the convolution before has put behind");
  }
  if (size.is_number()) size.number = range.count;
  data.steps_behind = 0;
  return data;
}

/// Whether an axis has the features of both directions side by side.
[[nodiscard]] inline bool is_both_directions(const std::vector<OnnxAtom>& axis) noexcept {
  return axis.size() == 2 && axis[0].run == OnnxRun::directions &&
         axis[1].run == OnnxRun::features && axis[0].size.is(2) && axis[1].size.is_number();
}

/// A slice along one axis: the whole axis, one direction, the first or last step, or all steps
/// reversed. Throws FormatError on other slices.
[[nodiscard]] inline OnnxData sliced(OnnxData data, const OnnxSlice& slice, const Where& where) {
  auto& axis = data.axes[slice.axis];
  if (data.steps_in_front > 0) where.refuse("takes a part of padded steps (Pad)");
  if (data.steps_behind > 0 && is_only(axis, OnnxRun::steps)) {
    return without_steps_behind(std::move(data), slice, where);
  }
  const OnnxSize size = data.size(slice.axis, where);
  const OnnxSlice::Range range = size.is_number() ? slice.range(size.number) : OnnxSlice::Range();
  const bool one = range.count == 1;
  const bool all = size.is_number() && range.count == size.number;
  if (size.is_number() ? all && (slice.step == 1 || one) : slice.is_whole()) return data;
  if (is_only(axis, OnnxRun::directions) && one) {
    data.directions =
        range.first == 0 ? OnnxData::Directions::forward : OnnxData::Directions::backward;
    axis.clear();
    return data;
  }
  if (is_both_directions(axis) && slice.step == 1 && range.count == axis[1].size.number &&
      range.first % range.count == 0) {
    data.directions =
        range.first == 0 ? OnnxData::Directions::forward : OnnxData::Directions::backward;
    axis.erase(axis.begin());
    return data;
  }
  if (is_only(axis, OnnxRun::steps)) {
    using Steps = OnnxData::Steps;
    if (size.is_number() ? all && slice.step == -1 : slice.is_reversed()) {
      data.reversed = !data.reversed;
      return data;
    }
    if (size.is_number() ? one && range.first == 0 : slice.is_first()) {
      return with_step(std::move(data), slice.axis, Steps::first);
    }
    if (size.is_number() ? one && range.first == size.number - 1 : slice.is_last()) {
      return with_step(std::move(data), slice.axis, Steps::last);
    }
  }
  where.refuse("takes a part of axis " + std::to_string(slice.axis) + " of " +
               axes_text(data.axes) + "; of the steps, strata takes all or the last");
}

/// A slice of one place of an axis, which stays with a size of 1.
[[nodiscard]] inline OnnxSlice slice_at(std::size_t axis, Index place) {
  const bool is_end = place == -1 || place == (std::numeric_limits<Index>::max)();
  return {axis, place, is_end ? OnnxSlice::end_of_axis : place + 1, 1};
}

/// One tensor of the two directions of a layer. Throws FormatError where `forward` and `backward`
/// are not the directions of one layer, or not at the same steps in the order of reading.
[[nodiscard]] inline OnnxData both_directions(const OnnxData& forward, const OnnxData& backward,
                                              const Where& where) {
  using Steps = OnnxData::Steps;
  OnnxData both = forward;
  both.directions = OnnxData::Directions::all;
  if (forward.version != backward.version || forward.reversed != backward.reversed ||
      axes_text(forward.axes) != axes_text(backward.axes)) {
    where.refuse("joins two tensors that are not the two directions of a layer");
  }
  if (forward.steps == backward.steps) return both;
  const bool last_of_each = (forward.steps == Steps::last || forward.steps == Steps::final) &&
                            (backward.steps == Steps::first || backward.steps == Steps::final);
  if (!last_of_each) where.refuse("joins other steps of one direction than of the other");
  both.steps = Steps::final;
  return both;
}

/// The sizes of a Reshape, where each 0 is replaced by the size of the same axis of `data`. -1
/// stays. Throws FormatError on a 0 for an axis that `data` does not have.
[[nodiscard]] inline std::vector<OnnxSize> with_copied_sizes(std::vector<OnnxSize> sizes,
                                                             const OnnxData& data,
                                                             const Where& where) {
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!sizes[i].is(0)) continue;
    if (i >= data.axes.size()) where.refuse("copies the size of an axis that there is not");
    sizes[i] = data.size(i, where);
  }
  return sizes;
}

/// Finds out what the axes of a tensor mean after a Reshape: axes keep their meaning when they are
/// joined, and when joined axes come apart again.
class OnnxRegrouping {
 public:
  /// The axes of `data` with new sizes; empty where a new size cuts through an axis. `sizes` have
  /// no 0 and at most one -1. Throws FormatError on a second -1.
  [[nodiscard]] static std::optional<OnnxAxes> of(const OnnxData& data,
                                                  const std::vector<OnnxSize>& sizes,
                                                  const Where& where) {
    std::vector<OnnxAtom> atoms;
    for (const auto& axis : data.axes) atoms.insert(atoms.end(), axis.begin(), axis.end());
    OnnxAxes axes(sizes.size());
    std::size_t first = 0;
    std::size_t last = atoms.size();
    std::size_t i = 0;
    for (; i < sizes.size() && !sizes[i].is(-1); ++i) {
      OnnxSize found{1, 0, 0};
      while (first < last && (!(found == sizes[i]) || takes_one(axes[i], sizes[i], atoms[first]))) {
        found = product(found, atoms[first].size, where);
        axes[i].push_back(atoms[first++]);
      }
      if (!(found == sizes[i])) return std::nullopt;
    }
    for (std::size_t k = sizes.size(); k-- > i + 1;) {
      if (sizes[k].is(-1)) where.refuse("has two sizes of -1");
      OnnxSize found{1, 0, 0};
      while (first < last &&
             (!(found == sizes[k]) || takes_one(axes[k], sizes[k], atoms[last - 1]))) {
        found = product(found, atoms[last - 1].size, where);
        axes[k].insert(axes[k].begin(), atoms[--last]);
      }
      if (!(found == sizes[k])) return std::nullopt;
    }
    if (i < sizes.size()) {
      axes[i].assign(atoms.begin() + static_cast<std::ptrdiff_t>(first),
                     atoms.begin() + static_cast<std::ptrdiff_t>(last));
      first = last;
    }
    if (first != last) return std::nullopt;
    take_batch_out(axes);
    return axes;
  }

 private:
  /// Where a batch of 1 was joined with others and one axis of size 1 has no meaning, that axis is
  /// the batch: exporters write a Transpose of such a batch as a Reshape. Without such an axis, it
  /// is joined with the first axis rather than with the features.
  static void take_batch_out(OnnxAxes& axes) {
    std::vector<OnnxAtom>* empty = nullptr;
    for (auto& axis : axes) {
      if (!axis.empty()) continue;
      if (empty) return;
      empty = &axis;
    }
    if (!empty && !axes.empty() && axes.back().size() > 1 &&
        axes.back().back().run == OnnxRun::features) {
      empty = &axes.front();
    }
    if (!empty) return;
    for (auto& axis : axes) {
      if (&axis == empty) continue;
      for (std::size_t i = 0; axis.size() > 1 && i < axis.size(); ++i) {
        if (axis[i].run != OnnxRun::batch || !axis[i].size.is(1)) continue;
        const OnnxAtom batch = axis[i];
        axis.erase(axis.begin() + static_cast<std::ptrdiff_t>(i));
        empty->insert(empty->begin(), batch);
        return;
      }
    }
  }

  /// Whether an empty axis of size 1 takes a part of size 1: a single step, feature or sequence
  /// keeps an axis of its own.
  [[nodiscard]] static bool takes_one(const std::vector<OnnxAtom>& axis, const OnnxSize& size,
                                      const OnnxAtom& atom) {
    return axis.empty() && size.is(1) && atom.size.is(1);
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
