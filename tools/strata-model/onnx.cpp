#include <strata/io/onnx.hpp>

#include "formats.hpp"

strata::tool::Format strata::tool::onnx_format() {
  return {
      ".onnx", "models of ONNX", [](const std::string& path) { return strata::load_onnx(path); },
      [](const std::string& path, const Sequential<>& model) { strata::save_onnx(path, model); }};
}
