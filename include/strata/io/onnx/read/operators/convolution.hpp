#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/constants.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/graph/weights.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/named_axes.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/language/checked_arithmetic.hpp>
#include <strata/padding.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Conv over steps, which becomes a Conv1D, and the Pad in front of it. Exporters make it causal by
/// a Pad, by pads in front, or by pads on both sides and a Slice of the steps behind.
class OnnxConvolution {
 public:
  static void conv(OnnxReading& reading, OnnxCall& call) {
    OnnxData x = call.data(0);
    const Index padded = std::exchange(x.steps_in_front, 0);
    x = reading.chain.settled(std::move(x), call.where(0));
    if (x.axes.size() == 3) x = with_steps_at(reading, std::move(x), 2, 1, call.where());
    const std::size_t steps = steps_axis(x, call);
    const Numbers kernel = kernel_of(call, x, steps);
    const Index units = kernel.shape[2];
    const Sides pads = pads_of(call, x.axes.size(), steps);
    const Index dilation = dilation_of(call, x.axes.size(), steps);
    const Index reach = reach_of(call, kernel.shape[0], dilation);
    const bool causal = pads.front + padded == reach;
    if (!causal && (pads.front + padded != 0 || pads.behind != 0)) {
      call.where().refuse("pads " + std::to_string(pads.front + padded) + " steps in front and " +
                          std::to_string(pads.behind) + " behind; strata's Conv1D pads none, or " +
                          std::to_string(reach) + " in front, (K - 1) times the dilation (causal)");
    }
    if (x.reversed) call.where(0).refuse("has the steps from the last to the first");
    LayerDescription description{"Conv1D"};
    description.add("filters", units).add("kernel_size", kernel.shape[0]);
    description.add("padding", std::string(name(causal ? Padding::causal : Padding::valid)));
    description.add("dilation_rate", dilation).add("activation", Activation::linear);
    description.add("use_bias", call.has(2));
    OnnxWeights weights{{"kernel", kernel}};
    if (call.has(2)) weights.emplace("bias", vector_of(call.numbers(2), units, call.where(2)));
    x.axes[1][0].size = {units};
    OnnxSize& size = x.axes[steps][0].size;
    if (size.is_number()) {
      size.number += pads.front + pads.behind - reach;
      if (size.number < 1) call.where(0).refuse("has fewer steps than the kernel");
    }
    x.steps_behind = pads.behind;
    reading.give(reading.chain.append(std::move(description), std::move(weights), std::move(x),
                                      call.where()));
  }

  static void pad(OnnxReading& reading, OnnxCall& call) {
    OnnxData x = call.data(0);
    const auto mode = call.attribute<std::string>("mode", "constant");
    if (mode != "constant") call.attribute_where("mode").expected("constant", in_quotes(mode));
    const bool operands = call.opset() >= 11;
    if (operands && call.has(2)) {
      require_zero(call, call.numbers(2).values);
    } else if (!operands) {
      require_zero(call, {call.number("value", 0)});
    }
    const auto pads = operands ? call.integers(1) : call.attribute<std::vector<Index>>("pads", {});
    auto axes = call.has(3) ? call.integers(3) : std::vector<Index>();
    const std::size_t rank = x.axes.size();
    for (std::size_t i = 0; !call.has(3) && i < rank; ++i) axes.push_back(static_cast<Index>(i));
    if (pads.size() != 2 * axes.size()) {
      call.where().expected(std::to_string(2 * axes.size()) + " pads", sizes_text(pads));
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const Index front = pads[i];
      const Index behind = pads[axes.size() + i];
      if (front == 0 && behind == 0) continue;
      auto& axis = x.axes[call.axis(axes[i], rank)];
      if (is_only(axis, OnnxRun::features)) {
        reading.try_order(OnnxInputOrder::batch_features_steps);
      }
      if (!is_only(axis, OnnxRun::steps) || behind != 0 || front < 0 || front > most ||
          x.steps_in_front != 0 || x.steps_behind != 0) {
        call.where().refuse("pads " + axes_text(x.axes) + " by " + sizes_text(pads) +
                            "; strata reads steps of zeros in front of a causal convolution");
      }
      x.steps_in_front = front;
      if (axis[0].size.is_number()) axis[0].size.number += front;
    }
    reading.give(std::move(x));
  }

 private:
  static constexpr Index most = sizes::largest;

  struct Sides {
    Index front = 0;
    Index behind = 0;
  };

  static void require_zero(const OnnxCall& call, const std::vector<double>& values) {
    for (const double value : values) {
      if (value != 0) call.where().expected("steps of zeros", std::to_string(value));
    }
  }

  /// The axis of the steps of (batch, features, steps); further axes have the size 1.
  [[nodiscard]] static std::size_t steps_axis(const OnnxData& x, const OnnxCall& call) {
    std::size_t steps = 0;
    bool fits = x.axes.size() >= 3 && is_only(x.axes[0], OnnxRun::batch) &&
                is_only(x.axes[1], OnnxRun::features);
    for (std::size_t i = 2; fits && i < x.axes.size(); ++i) {
      if (x.axes[i].empty()) continue;
      fits = is_only(x.axes[i], OnnxRun::steps) && steps == 0;
      steps = i;
    }
    if (!fits || steps == 0) call.where(0).expected("(batch, features, steps)", axes_text(x.axes));
    return steps;
  }

  /// The kernel (K, F, U), from ONNX' (U, F, K).
  [[nodiscard]] static Numbers kernel_of(OnnxCall& call, const OnnxData& x, std::size_t steps) {
    const Numbers& numbers = call.numbers(1);
    const auto fits = [&](std::size_t i) {
      const Index size = numbers.shape[i];
      return i == 1 ? x.axes[1][0].size.is(size) : i == 0 || i == steps ? size > 0 : size == 1;
    };
    bool good = numbers.shape.size() == x.axes.size();
    for (std::size_t i = 0; good && i < numbers.shape.size(); ++i) good = fits(i);
    if (call.attribute<Index>("group", 1) != 1) {
      call.attribute_where("group").refuse("is not 1; strata's Conv1D has one group");
    }
    if (!good) {
      call.where(1).expected("(U, " + size_text(x.axes[1][0].size) + ", K)",
                             sizes_text(numbers.shape));
    }
    const std::vector<Index> shape(numbers.shape.begin() + 2, numbers.shape.end());
    if (call.attribute<std::vector<Index>>("kernel_shape", shape) != shape) {
      call.attribute_where("kernel_shape").expected(sizes_text(shape), "another shape");
    }
    for (const Index stride : call.attribute<std::vector<Index>>("strides", {})) {
      if (stride != 1) call.attribute_where("strides").expected("1", std::to_string(stride));
    }
    call.spend(numbers.values.size());
    return with_axes(reshaped(numbers, {numbers.shape[0], numbers.shape[1], numbers.shape[steps]},
                              call.where(1)),
                     {2, 1, 0});
  }

  [[nodiscard]] static Sides pads_of(OnnxCall& call, std::size_t rank, std::size_t steps) {
    const auto automatic = call.attribute<std::string>("auto_pad", "NOTSET");
    if (automatic != "NOTSET" && automatic != "VALID") {
      call.attribute_where("auto_pad").expected("NOTSET or VALID", in_quotes(automatic));
    }
    const std::size_t axes = rank - 2;
    const auto pads = call.attribute<std::vector<Index>>("pads", std::vector<Index>(2 * axes, 0));
    bool fits = pads.size() == 2 * axes;
    for (std::size_t i = 0; fits && i < pads.size(); ++i) {
      fits = pads[i] == 0 || (i % axes == steps - 2 && pads[i] > 0 && pads[i] <= most);
    }
    if (!fits) {
      call.attribute_where("pads").expected("steps in front and behind", sizes_text(pads));
    }
    if (automatic == "VALID") return {};
    return {pads[steps - 2], pads[axes + steps - 2]};
  }

  [[nodiscard]] static Index dilation_of(OnnxCall& call, std::size_t rank, std::size_t steps) {
    const auto all =
        call.attribute<std::vector<Index>>("dilations", std::vector<Index>(rank - 2, 1));
    if (all.size() != rank - 2 || all[steps - 2] < 1 || all[steps - 2] > most) {
      call.attribute_where("dilations").expected("at least 1", sizes_text(all));
    }
    return all[steps - 2];
  }

  /// (K - 1) times the dilation: how many steps an output sees besides its own.
  [[nodiscard]] static Index reach_of(const OnnxCall& call, Index kernel_size, Index dilation) {
    Index reach = 0;
    if (detail::multiply_overflows(kernel_size - 1, dilation, reach) || reach > most) {
      call.where().refuse("sees too many steps");
    }
    return reach;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
