#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <strata/contracts/layer.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/onnx/write/graph_writer.hpp>
#include <strata/io/onnx/write/layer_writer.hpp>
#include <strata/io/onnx/write/serialize_model.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The ONNX file of a built model. Throws StateError when the model is not built, and ValueError,
/// naming the layer, on a layer or option that ONNX does not have.
template <class Scalar>
[[nodiscard]] std::vector<std::byte> write_onnx(const Network<Scalar>& network) {
  (void)network.parameters();
  const Architecture architecture = architecture_of(network);
  Shape shape = architecture.input->shape();
  const bool ids = !network.layers().empty() && network.layers()[0].accepts() == Accepts::ids;
  OnnxGraphWriter writer(shape, ids);
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const auto& layer = network.layers()[i];
    OnnxWeights weights;
    for (const auto& parameter : layer.parameters()) {
      weights.emplace(parameter.name, Numbers{sizes_of(parameter.shape),
                                              {parameter.values.begin(), parameter.values.end()}});
    }
    writer.begin_layer("layer " + std::to_string(i) + " (" + layer.kind() + ")");
    OnnxLayerWriter::write(writer, architecture.layers[i], weights);
    shape = layer.output_shape(shape);
  }
  return write_onnx_model(writer.finish(shape.back()));
}

}  // namespace strata::inline STRATA_RUNTIME::io
