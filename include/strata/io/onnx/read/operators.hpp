#pragma once

#include <span>
#include <string_view>

#include <strata/activation.hpp>
#include <strata/io/onnx/graph/call.hpp>
#include <strata/io/onnx/graph/model.hpp>
#include <strata/io/onnx/graph/value.hpp>
#include <strata/io/onnx/read/operators/activations.hpp>
#include <strata/io/onnx/read/operators/affine.hpp>
#include <strata/io/onnx/read/operators/axes.hpp>
#include <strata/io/onnx/read/operators/concat.hpp>
#include <strata/io/onnx/read/operators/constant.hpp>
#include <strata/io/onnx/read/operators/convolution.hpp>
#include <strata/io/onnx/read/operators/dense.hpp>
#include <strata/io/onnx/read/operators/directions.hpp>
#include <strata/io/onnx/read/operators/identity.hpp>
#include <strata/io/onnx/read/operators/normalization.hpp>
#include <strata/io/onnx/read/operators/places.hpp>
#include <strata/io/onnx/read/operators/reading.hpp>
#include <strata/io/onnx/read/operators/recurrent_layers.hpp>
#include <strata/io/onnx/read/operators/shape_layers.hpp>
#include <strata/io/onnx/read/operators/sizes.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The table of ONNX' operators that strata reads.
class OnnxOperators {
 public:
  struct Operator {
    std::string_view name;
    /// Reads a node of this operator. Throws FormatError, naming the node, where it does something
    /// that strata's layers do not.
    void (*read)(OnnxReading& reading, OnnxCall& call);
  };

  /// The operator of a node; null where strata does not read it.
  [[nodiscard]] static const Operator* find(const OnnxNode& node) {
    if (!node.domain.empty() && node.domain != "ai.onnx") return nullptr;
    for (const Operator& one : all()) {
      if (one.name == node.op) return &one;
    }
    return nullptr;
  }

 private:
  /// An operator that makes no layer and has one output.
  template <OnnxValue (*Value)(OnnxCall&)>
  static void value(OnnxReading& reading, OnnxCall& call) {
    reading.give(Value(call));
  }

  [[nodiscard]] static std::span<const Operator> all() {
    static constexpr Operator list[] = {
        {"Add", &OnnxDense::add},
        {"BatchNormalization", &OnnxNormalization::batch_normalization},
        {"Cast", &value<&OnnxIdentities::cast>},
        {"Celu", &OnnxActivations::celu},
        {"Clip", &OnnxActivations::clip},
        {"Concat", &value<&OnnxConcat::concat>},
        {"Constant", &value<&OnnxConstants::constant>},
        {"ConstantFill", &value<&OnnxConstants::constant_fill>},
        {"ConstantOfShape", &value<&OnnxConstants::constant_of_shape>},
        {"Conv", &OnnxConvolution::conv},
        {"Div", &OnnxDirections::divide},
        {"Dropout", &value<&OnnxIdentities::dropout>},
        {"Elu", &OnnxActivations::elu},
        {"Equal", &value<&OnnxSizes::equal>},
        {"Exp", &OnnxActivations::activation<Activation::exponential>},
        {"Expand", &OnnxShapeLayers::expand},
        {"Flatten", &value<&OnnxAxisMoves::flatten>},
        {"GRU", &OnnxRecurrentLayers::gru},
        {"Gather", &OnnxShapeLayers::gather},
        {"Gelu", &OnnxActivations::gelu},
        {"Gemm", &OnnxDense::gemm},
        {"GlobalAveragePool", &OnnxDirections::pool_mean},
        {"GlobalMaxPool", &OnnxDirections::pool_max},
        {"HardSigmoid", &OnnxActivations::hard_sigmoid},
        {"Identity", &value<&OnnxIdentities::identity>},
        {"LSTM", &OnnxRecurrentLayers::lstm},
        {"LayerNormalization", &OnnxNormalization::layer_normalization},
        {"LeakyRelu", &OnnxActivations::leaky_relu},
        {"MatMul", &OnnxDense::mat_mul},
        {"Mish", &OnnxActivations::mish},
        {"Mul", &OnnxDirections::multiply},
        {"Neg", &OnnxAffines::negate},
        {"PRelu", &OnnxActivations::p_relu},
        {"Pad", &OnnxConvolution::pad},
        {"RNN", &OnnxRecurrentLayers::rnn},
        {"ReduceMax", &OnnxDirections::reduce_max},
        {"ReduceMean", &OnnxDirections::reduce_mean},
        {"ReduceProd", &OnnxDirections::reduce_product},
        {"ReduceSum", &OnnxDirections::reduce_sum},
        {"Relu", &OnnxActivations::activation<Activation::relu>},
        {"Reshape", &OnnxShapeLayers::reshape},
        {"ReverseSequence", &value<&OnnxPlaces::reverse_sequence>},
        {"Selu", &OnnxActivations::selu},
        {"Shape", &value<&OnnxSizes::shape>},
        {"Sigmoid", &OnnxActivations::activation<Activation::sigmoid>},
        {"Slice", &value<&OnnxPlaces::slice>},
        {"Softmax", &OnnxActivations::softmax},
        {"Softplus", &OnnxActivations::activation<Activation::softplus>},
        {"Softsign", &OnnxActivations::activation<Activation::softsign>},
        {"Split", &OnnxDirections::split},
        {"Squeeze", &value<&OnnxAxisMoves::squeeze>},
        {"Sub", &OnnxAffines::subtract},
        {"Tanh", &OnnxActivations::activation<Activation::tanh>},
        {"Tile", &OnnxShapeLayers::tile},
        {"Transpose", &value<&OnnxAxisMoves::transpose>},
        {"Unsqueeze", &value<&OnnxAxisMoves::unsqueeze>},
        {"Where", &value<&OnnxSizes::where>}};
    return list;
  }
};

}  // namespace strata::inline STRATA_RUNTIME::io
