#pragma once

#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/onnx.hpp>
#include <strata/io/onnx/read/file.hpp>
#include <strata/io/onnx/write/file.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

template <std::floating_point Scalar>
io::Loaded<Scalar> load_onnx(const io::Source& from, const OnnxOptions& options) {
  const io::OnnxLayers file = io::read_onnx(from, options);
  auto model = io::described_model<Scalar>(io::architecture_of(file), io::count_weights(file),
                                           io::LayerMaker<Scalar>(), from.where());
  io::give_weights(file, model.network(), from.where());
  return model;
}

template <class Scalar>
void io::load_onnx_network(const Source& from, Network<Scalar> network,
                           const OnnxOptions& options) {
  (void)network.parameters();
  const OnnxLayers file = read_onnx(from, options);
  require_same_layers(as_in_onnx(architecture_of(file).layers),
                      as_in_onnx(architecture_of(network).layers), from.where());
  give_weights(file, std::move(network), from.where());
}

template <class Scalar>
std::vector<std::byte> io::save_onnx_network_to_memory(const Network<Scalar>& network) {
  return write_onnx(network);
}

template <class Scalar>
void io::save_onnx_network(const Path& path, const Network<Scalar>& network) {
  write_file(path, write_onnx(network));
}

}  // namespace strata::inline STRATA_RUNTIME
