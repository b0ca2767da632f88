#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/affine.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/io/onnx/read/operators/sizes.hpp>
#include <strata/io/onnx/read/operators/sums.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Operators that become a Dense: products of a tensor with constants, and sums with constants,
/// which are its bias. Other sums become other layers.
class OnnxDense {
 public:
  static void mat_mul(OnnxReading& reading, OnnxCall& call) {
    dense(reading, call, call.numbers(1), std::nullopt);
  }

  static void gemm(OnnxReading& reading, OnnxCall& call) {
    call.require("transA", 0, 0);
    Numbers kernel = call.numbers(1);
    if (call.attribute<Index>("transB", 0) != 0) kernel = transposed(kernel, call.where(1));
    std::optional<Numbers> bias;
    if (call.has(2)) bias = call.numbers(2);
    scale(kernel, call.number("alpha", 1));
    const double beta = call.number("beta", 1);
    if (bias) scale(*bias, beta);
    if (call.data(0).axes.size() != 2) {
      call.where(0).expected("two axes", axes_text(call.data(0).axes));
    }
    dense(reading, call, std::move(kernel), std::move(bias));
  }

  static void add(OnnxReading& reading, OnnxCall& call) {
    if (call.find<OnnxIntegers>(0)) return reading.give(OnnxSizes::arithmetic(call, '+'));
    if (call.find<OnnxData>(0) && call.find<OnnxData>(1)) {
      return OnnxSums::add(reading, call);
    }
    const std::size_t at = call.find<OnnxData>(0) ? 0 : 1;
    const auto* const x = call.find<OnnxData>(at);
    const bool apart = reading.shared.contains(call.operand(at));
    if (!x || apart || x->axes.empty() || !is_only(x->axes.back(), OnnxRun::features) ||
        x->steps != OnnxData::Steps::all || !reading.chain.is_end(*x) ||
        !reading.chain.plain_dense(true)) {
      return OnnxAffines::read(reading, call, '+');
    }
    const Numbers& bias = call.numbers(1 - at);
    OnnxData y = reading.chain.settled(*x, call.where());
    OnnxChain::Layer* const layer = reading.chain.plain_dense(true);
    const Index units = layer->weights.at("kernel").shape[1];
    require_rank(bias, y, call.where(1 - at));
    layer->weights.emplace("bias", vector_of(bias, units, call.where(1 - at)));
    layer->description.option("use_bias") = true;
    reading.give(std::move(y));
  }

 private:
  static void dense(OnnxReading& reading, OnnxCall& call, Numbers kernel,
                    std::optional<Numbers> bias) {
    OnnxData x = with_features(reading, call, 0);
    const Index features = x.axes.back()[0].size.number;
    if (kernel.rank() != 2 || kernel.shape[0] != features || kernel.shape[1] < 1) {
      call.where(1).expected("(" + std::to_string(features) + ", U)", sizes_text(kernel.shape));
    }
    const Index units = kernel.shape[1];
    x.axes.back()[0].size = {units};
    LayerDescription description{"Dense"};
    description.add("units", units).add("activation", Activation::linear);
    description.add("use_bias", bias.has_value());
    OnnxWeights weights{{"kernel", std::move(kernel)}};
    if (bias) weights.emplace("bias", vector_of(*bias, units, call.where(2)));
    reading.give(reading.chain.append(std::move(description), std::move(weights), std::move(x),
                                      call.where()));
  }

  static void scale(Numbers& numbers, double factor) {
    if (factor == 1) return;
    for (double& value : numbers.values) value *= factor;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
