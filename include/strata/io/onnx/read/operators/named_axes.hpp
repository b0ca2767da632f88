#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Steps and features at the axes where a layer takes them.

namespace strata::inline STRATA_RUNTIME::io {

/// Whether a tensor has features, on an axis of their own or joined with others. A tensor without
/// has one feature.
[[nodiscard]] inline bool has_features(const OnnxData& data) noexcept {
  for (const auto& axis : data.axes) {
    for (const OnnxAtom& atom : axis) {
      if (atom.run == OnnxRun::features) return true;
    }
  }
  return false;
}

/// The tensor with a Reshape behind it where it is a sample, (B, F), beside an axis of size 1:
/// `steps` and `features`, which are these two axes in either order, are steps and features then.
[[nodiscard]] inline OnnxData with_own_steps(OnnxReading& reading, OnnxData x, std::size_t steps,
                                             std::size_t features, const Where& where) {
  const bool of_steps = is_only(x.axes[steps], OnnxRun::features) && x.axes[features].empty();
  const bool of_features = is_only(x.axes[features], OnnxRun::features) && x.axes[steps].empty();
  bool fits = x.axes.size() == 3 && (of_steps || of_features);
  for (const auto& axis : x.axes) {
    if (!axis.empty() && axis[0].run == OnnxRun::steps) fits = false;
  }
  if (!fits) return x;
  const OnnxSize count = x.axes[of_steps ? steps : features][0].size;
  const OnnxSize one{1, 0, 0};
  LayerDescription description{"Reshape"};
  description.add("steps", of_steps ? count.number : 1)
      .add("features", of_steps ? Index{1} : count.number);
  x.axes[steps] = {{OnnxRun::steps, of_steps ? count : one}};
  x.axes[features] = {{OnnxRun::features, of_steps ? one : count}};
  return reading.chain.append(std::move(description), {}, std::move(x), where);
}

/// The tensor, settled, with its features at the axis `features`, where it can be read so: one
/// feature without an axis gets one, and steps that a Reshape made by their name alone become
/// features. Begins the reading anew where the input may have its axes in another order.
[[nodiscard]] inline OnnxData with_features_at(OnnxReading& reading, OnnxData x,
                                               std::size_t features) {
  if (x.axes[features].empty() && !has_features(x)) {
    x.axes[features] = {{OnnxRun::features, {1, 0, 0}}};
    return x;
  }
  if (!is_only(x.axes[features], OnnxRun::steps)) return x;
  for (auto& axis : x.axes) {
    if (!is_only(axis, OnnxRun::features)) continue;
    if (x.steps_by_name) {
      if (!reading.chain.turn_reshape()) continue;
      axis[0].run = OnnxRun::steps;
      x.axes[features][0].run = OnnxRun::features;
      return x;
    }
    reading.try_order(OnnxInputOrder::batch_features_steps);
  }
  return x;
}

/// The tensor, settled, as a layer takes it that runs over steps: with the steps and the features
/// at these axes, where it can be read so.
[[nodiscard]] inline OnnxData with_steps_at(OnnxReading& reading, OnnxData x, std::size_t steps,
                                            std::size_t features, const Where& where) {
  x = with_own_steps(reading, std::move(x), steps, features, where);
  x = with_features_at(reading, std::move(x), features);
  if (is_only(x.axes[steps], OnnxRun::steps) && is_only(x.axes[features], OnnxRun::features)) {
    reading.axes_are_known = true;
    x.steps_by_name = false;
  }
  return x;
}

}  // namespace strata::inline STRATA_RUNTIME::io
