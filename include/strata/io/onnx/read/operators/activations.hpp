#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/chain.hpp>
#include <strata/io/onnx/graph/recurrent.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/graph/weights.hpp>
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
    activate(reading, call, name(Function));
  }
  /// Operand 0, activated. `function`: the name of an Activation.
  static void activate(OnnxReading& reading, OnnxCall& call, std::string_view function) {
    activate(reading, call, reading.chain.settled(call.data(0), call.where(0)), function);
  }

  static void celu(OnnxReading& reading, OnnxCall& call) {
    require_setting(call, "alpha", 1, 1);
    activate(reading, call, "elu");
  }

  static void clip(OnnxReading& reading, OnnxCall& call) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    double low = -infinity;
    double high = infinity;
    if (call.opset() < 11) {
      constexpr double most = (std::numeric_limits<float>::max)();
      low = call.number("min", -most);
      high = call.number("max", most);
      if (high >= most) high = infinity;
    } else {
      if (call.has(1)) low = number_of(call, 1);
      if (call.has(2)) high = number_of(call, 2);
      if (high >= (std::numeric_limits<float>::max)()) high = infinity;
    }
    if (low != 0 || !(high > 0)) {
      call.where().expected("min 0 and a max above it, as strata's relu has",
                            "min " + std::to_string(low) + " and max " + std::to_string(high));
    }
    if (high == infinity) return activate(reading, call, "relu");
    if (high == 6) return activate(reading, call, "relu6");
    append_relu(reading, call, high, 0);
  }

  static void elu(OnnxReading& reading, OnnxCall& call) {
    const double alpha = call.number("alpha", 1);
    if (is_setting(alpha, 1)) return activate(reading, call, "elu");
    append(reading, call, LayerDescription{"ELU"}.add("alpha", alpha), {});
  }

  static void gelu(OnnxReading& reading, OnnxCall& call) {
    const auto approximate = call.attribute<std::string>("approximate", "none");
    if (approximate != "none" && approximate != "tanh") {
      call.attribute_where("approximate").expected("none or tanh", in_quotes(approximate));
    }
    activate(reading, call, approximate == "tanh" ? "gelu_tanh" : "gelu");
  }

  static void hard_sigmoid(OnnxReading& reading, OnnxCall& call) {
    const double alpha = call.number("alpha", 0.2);
    const double beta = call.number("beta", 0.5);
    const bool sixth = is_setting(alpha, 1.0 / 6);
    if ((!sixth && !is_setting(alpha, 0.2)) || !is_setting(beta, 0.5)) {
      call.where().expected("alpha 0.166667 or 0.2 and beta 0.5, as Keras' hard_sigmoid has",
                            "alpha " + std::to_string(alpha) + " and beta " + std::to_string(beta));
    }
    activate(reading, call, sixth ? "hard_sigmoid" : "hard_sigmoid_fifth");
  }

  static void leaky_relu(OnnxReading& reading, OnnxCall& call) {
    if (is_setting(call.number("alpha", 0.01), detail::leaky_slope)) {
      return activate(reading, call, name(Activation::leaky_relu));
    }
    append_relu(reading, call, std::numeric_limits<double>::infinity(), call.number("alpha", 0.01));
  }

  static void mish(OnnxReading& reading, OnnxCall& call) { activate(reading, call, "mish"); }

  static void p_relu(OnnxReading& reading, OnnxCall& call) {
    OnnxData x = reading.chain.settled(call.data(0), call.where(0));
    const Numbers& slope = call.numbers(1);
    require_rank(slope, x, call.where(1));
    const Index features = features_in(x);
    call.spend(static_cast<std::size_t>(features));
    Numbers alpha{{features}, features_of(call, 1, slope, x)};
    alpha.values.resize(static_cast<std::size_t>(features), alpha.values[0]);
    reading.give(reading.chain.append(LayerDescription{"PReLU"}, {{"alpha", std::move(alpha)}},
                                      std::move(x), call.where()));
  }

  static void selu(OnnxReading& reading, OnnxCall& call) {
    require_setting(call, "alpha", 1.6732632, 1.6732632);
    require_setting(call, "gamma", 1.0507010, 1.0507010);
    activate(reading, call, "selu");
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
    activate(reading, call, std::move(x), name(Activation::softmax));
  }

 private:
  static void activate(OnnxReading& reading, OnnxCall& call, OnnxData x,
                       std::string_view function) {
    const bool apart = reading.shared.contains(call.operand(0));
    const bool dense_only = function == name(Activation::softmax);
    auto* const layer = apart        ? nullptr
                        : dense_only ? reading.chain.plain_dense(false)
                                     : reading.chain.without_activation();
    if (layer) {
      layer->description.option("activation") = std::string(function);
      return reading.give(std::move(x));
    }
    reading.give(reading.chain.append(
        LayerDescription{"Activation"}.add("activation", std::string(function)), {}, std::move(x),
        call.where()));
  }

  static void append(OnnxReading& reading, OnnxCall& call, LayerDescription layer,
                     OnnxWeights weights) {
    OnnxData x = reading.chain.settled(call.data(0), call.where(0));
    reading.give(
        reading.chain.append(std::move(layer), std::move(weights), std::move(x), call.where()));
  }

  static void append_relu(OnnxReading& reading, OnnxCall& call, double max_value, double slope) {
    LayerDescription layer{"ReLU"};
    if (max_value < std::numeric_limits<double>::infinity()) layer.add("max_value", max_value);
    layer.add("negative_slope", slope).add("threshold", 0.0);
    append(reading, call, std::move(layer), {});
  }

  [[nodiscard]] static double number_of(OnnxCall& call, std::size_t i) {
    const Numbers& numbers = call.numbers(i);
    if (numbers.values.size() != 1) call.where(i).expected("one number", sizes_text(numbers.shape));
    return numbers.values[0];
  }

  static void require_setting(OnnxCall& call, const char* name, double wanted, double otherwise) {
    const double found = call.number(name, otherwise);
    if (!is_setting(found, wanted)) {
      call.attribute_where(name).expected(std::to_string(wanted), std::to_string(found));
    }
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
