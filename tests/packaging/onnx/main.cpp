#include <strata/io/onnx/read/file.hpp>

int main() {
  // All layers, which load_onnx knows, would take long to compile.
  const auto file = strata::io::read_onnx(std::string(MODEL));
  return file.layers.size() == 3 ? 0 : 1;
}
