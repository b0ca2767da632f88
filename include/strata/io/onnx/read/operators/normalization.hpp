#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <strata/contracts/description.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/named_axes.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// LayerNormalization and BatchNormalization.
class OnnxNormalization {
 public:
  static void layer_normalization(OnnxReading& reading, OnnxCall& call) {
    OnnxData x = with_features(reading, call, 0);
    const Index features = x.axes.back()[0].size.number;
    const Index axis = call.attribute<Index>("axis", -1);
    if (call.axis(axis, x.axes.size()) != x.axes.size() - 1) {
      call.attribute_where("axis").expected("the features", std::to_string(axis));
    }
    call.ignore("stash_type");
    // A node has a scale; a formula of several nodes may have none.
    const bool scales = call.inputs() != 1;
    LayerDescription description{"LayerNormalization"};
    description.add("epsilon", epsilon_of(call)).add("center", call.has(2)).add("scale", scales);
    OnnxWeights weights;
    if (scales) weights.emplace("gamma", vector_of(call.numbers(1), features, call.where(1)));
    if (call.has(2)) weights.emplace("beta", vector_of(call.numbers(2), features, call.where(2)));
    reading.give(reading.chain.append(std::move(description), std::move(weights), std::move(x),
                                      call.where()));
  }

  static void batch_normalization(OnnxReading& reading, OnnxCall& call) {
    OnnxData x = reading.chain.settled(call.data(0), call.where(0));
    if (x.axes.size() >= 2) x = with_features_at(reading, std::move(x), 1);
    if (x.axes.size() < 2 || !is_only(x.axes[1], OnnxRun::features)) {
      call.where(0).expected("features as axis 1", axes_text(x.axes));
    }
    if (call.opset() >= 14) call.require("training_mode", 0, 0);
    const Index features = x.axes[1][0].size.number;
    LayerDescription description{"BatchNormalization"};
    description.add("epsilon", epsilon_of(call)).add("center", true).add("scale", true);
    description.add("momentum", call.number("momentum", 0.9));
    call.ignore("spatial");
    OnnxWeights weights;
    std::size_t i = 1;
    for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"}) {
      weights.emplace(name, vector_of(call.numbers(i), features, call.where(i)));
      ++i;
    }
    reading.give(reading.chain.append(std::move(description), std::move(weights), std::move(x),
                                      call.where()));
  }

 private:
  [[nodiscard]] static double epsilon_of(OnnxCall& call) {
    const double epsilon = call.number("epsilon", 1e-5);
    if (!(epsilon >= 0)) {
      call.attribute_where("epsilon").expected("at least 0", std::to_string(epsilon));
    }
    return epsilon;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
