#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/recurrent.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/layer_operands.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Activations: functions of each number, and Softmax over the features.
class OnnxActivations {
 public:
  template <Activation Function>
  static void activation(OnnxReading& reading, OnnxCall& call) {
    activate(reading, call, reading.chain.settled(call.data(0), call.where(0)), Function);
  }

  static void elu(OnnxReading& reading, OnnxCall& call) {
    require_setting(call, "alpha", 1, 1);
    activation<Activation::elu>(reading, call);
  }

  static void hard_sigmoid(OnnxReading& reading, OnnxCall& call) {
    require_setting(call, "alpha", 1.0 / 6, 0.2);
    require_setting(call, "beta", 0.5, 0.5);
    activation<Activation::hard_sigmoid>(reading, call);
  }

  static void softmax(OnnxReading& reading, OnnxCall& call) {
    OnnxData x = with_features(reading, call, 0);
    const std::size_t last = x.axes.size() - 1;
    // Before opset 13, Softmax goes over all axes from `axis` on together.
    const Index axis = call.attribute<Index>("axis", call.opset() >= 13 ? -1 : 1);
    if (call.axis(axis, x.axes.size()) != last) {
      call.attribute_where("axis").expected("the features, " + std::to_string(last),
                                            std::to_string(axis));
    }
    activate(reading, call, std::move(x), Activation::softmax);
  }

 private:
  static void activate(OnnxReading& reading, OnnxCall& call, OnnxData x, Activation activation) {
    if (auto* dense = reading.chain.plain_dense(false)) {
      dense->description.option("activation") = std::string(name(activation));
      return reading.give(std::move(x));
    }
    reading.give(reading.chain.append(LayerDescription{"Activation"}.add("activation", activation),
                                      {}, std::move(x), call.where()));
  }

  static void require_setting(OnnxCall& call, const char* name, double wanted, double otherwise) {
    const double found = call.number(name, otherwise);
    if (!is_setting(found, wanted)) {
      call.attribute_where(name).expected(std::to_string(wanted), std::to_string(found));
    }
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
