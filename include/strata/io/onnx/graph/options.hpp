#pragma once

#include <string>
#include <vector>

#include <strata/io/common/source.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

namespace io {

/// The bytes of a file beside the model's, in which the model keeps weights, by the name that the
/// model has for it.
struct OnnxExternalFile {
  std::string name;
  Source data;
};

}  // namespace io

/// Options of load_onnx.
///
///   load_onnx("model.onnx", {.output = "probabilities"})
///   load_onnx(bytes, {.external_data = {{"model.onnx.data", more_bytes}}})
struct OnnxOptions {
  /// The name of the graph's output that becomes the model's output. Empty, for the only output
  /// besides the states of recurrent layers, since most graphs have one; a graph of several needs a
  /// name.
  std::string output = {};
  /// The files beside the model's in which PyTorch puts larger weights. Empty, since they are read
  /// from the folder of the model; a model in memory has no folder, so that they are given here. A
  /// file that is given is not looked for in the folder.
  std::vector<io::OnnxExternalFile> external_data = {};
};

}  // namespace strata::inline STRATA_RUNTIME
