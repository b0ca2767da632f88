#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include <strata/io/common/loaded.hpp>
#include <strata/io/common/path.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/onnx/graph/options.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

// Models of ONNX: https://onnx.ai/onnx/operators.

namespace strata::inline STRATA_RUNTIME {

/// The model of an ONNX file whose graph is a chain of LSTM, GRU, RNN, Conv, Gemm or MatMul,
/// activations, normalization and embeddings, with the nodes that exporters of PyTorch and
/// TensorFlow put around them. Whatever the order of axes in the file, the model takes (B, T, F) or
/// (B, F), or ids (B, T). Inputs and outputs of the graph that are states of its recurrent layers
/// are the State of the model. `from` is a path or bytes in memory; `Scalar` need not be the type
/// of the file's numbers.
///
///   auto model = load_onnx("model.onnx");                // or load_onnx<double>("model.onnx")
///
/// Throws FileError when the file cannot be read, FormatError, naming node and attribute, when the
/// file is damaged, of a newer version than strata knows, when it holds anything that strata does
/// not know, or when anything is missing or left over.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_onnx(const io::Source& from, const OnnxOptions& options = {});

namespace io {

// What the functions below come down to, whatever the type of the model.

template <class Scalar>
void load_onnx_network(const Source& from, Network<Scalar> network, const OnnxOptions& options);
template <class Scalar>
[[nodiscard]] std::vector<std::byte> save_onnx_network_to_memory(const Network<Scalar>& network);
template <class Scalar>
void save_onnx_network(const Path& path, const Network<Scalar>& network);

}  // namespace io

/// Gives a model, static or run-time, the weights of an ONNX file. The model must have the layers
/// of the file, but for dropout and other settings that only training uses, and for masks, which
/// ONNX does not have. Throws StateError before the model is built, FileError and FormatError as
/// load_onnx does, and FormatError when the layers differ; the model keeps its weights then.
template <class Model>
  requires requires { typename Model::scalar_type; }
void load_onnx(const io::Source& from, Model& model, const OnnxOptions& options = {}) {
  io::load_onnx_network(from, model.network(), options);
}

/// The bytes of the file that save_onnx writes. Throws StateError and ValueError as save_onnx does.
template <class Model>
[[nodiscard]] std::vector<std::byte> save_onnx_to_memory(const Model& model) {
  return io::save_onnx_network_to_memory(model.network());
}

/// Writes a model as an ONNX file, with an input "x" and an output "y" whose batch and steps are of
/// any size. Numbers become float, the only type in which ONNX Runtime's recurrent operators
/// compute. Throws StateError before the model is built, ValueError, naming the layer, when ONNX
/// has no operators for a layer or option, FileError when the file cannot be written.
template <class Model>
void save_onnx(const io::Path& path, const Model& model) {
  io::save_onnx_network(path, model.network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/onnx_definitions.hpp>
#endif
