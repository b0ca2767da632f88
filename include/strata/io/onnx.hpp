#pragma once

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <strata/io/common/assemble.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/common/compare_layers.hpp>
#include <strata/io/common/described_model.hpp>
#include <strata/io/common/layers.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/onnx/read/file.hpp>
#include <strata/io/onnx/write/file.hpp>
#include <strata/target.hpp>

// Models of ONNX: https://onnx.ai/onnx/operators.

namespace strata::inline STRATA_TARGET {

/// What an ONNX file leaves open; see load_onnx.
struct OnnxOptions {
  /// The output that the model is to have, where the graph has several.
  std::string output = {};
};

/// The model of an ONNX file, of any scalar: load_onnx("model.onnx"), or load_onnx<double>(...).
/// `from` is a path or bytes in memory. Graphs that are a chain of LSTM, GRU, RNN, Gemm or MatMul,
/// activations, normalization and embeddings, with the nodes that exporters of PyTorch and
/// TensorFlow put around them. Whatever the order of the file's axes, the model takes (B, T, F) or
/// (B, F), or ids (B, T).
///
/// Throws FileError when the file cannot be read, FormatError, naming node and attribute, when it
/// is damaged, newer than what strata knows, or when anything in it is not known to strata, missing
/// or left over.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_onnx(const io::Source& from,
                                           const OnnxOptions& options = {}) {
  const io::OnnxLayers file = io::read_onnx(from, options.output);
  auto model = io::described_model<Scalar>(io::architecture_of(file), io::count_weights(file),
                                           io::LayerMaker<Scalar>(), from.where());
  io::give_weights(file, model, from.where());
  return model;
}

/// Gives a model, static or run-time, the weights of an ONNX file, whose layers must be the
/// model's; what only training uses may differ, and so may masks, which ONNX does not have. Throws
/// StateError before the model is built, FileError and FormatError as load_onnx does; the model is
/// unchanged then.
template <class Model>
  requires requires { typename Model::scalar_type; }
void load_onnx(const io::Source& from, Model& model, const OnnxOptions& options = {}) {
  (void)model.parameters();
  const io::OnnxLayers file = io::read_onnx(from, options.output);
  io::require_same_layers(io::as_in_onnx(io::architecture_of(file).layers),
                          io::as_in_onnx(io::architecture_of(model).layers), from.where());
  io::give_weights(file, model, from.where());
}

/// The file that save_onnx writes, in memory.
template <class Model>
[[nodiscard]] std::vector<std::byte> save_onnx_to_memory(const Model& model) {
  return io::write_onnx(model);
}

/// Writes a model for ONNX Runtime and others: input "x", output "y", batch and steps of any size.
/// Numbers become float, which is all that ONNX Runtime's recurrent operators compute in. Throws
/// StateError before the model is built, ValueError, naming the layer, on what ONNX cannot say,
/// FileError when the file cannot be written.
template <class Model>
void save_onnx(const std::filesystem::path& path, const Model& model) {
  io::write_file(path, save_onnx_to_memory(model));
}

}  // namespace strata::inline STRATA_TARGET
