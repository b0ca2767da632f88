// Any bytes are a model of ONNX, weights for a model, or a FormatError; nothing else happens.

#include <cstddef>
#include <cstdint>
#include <span>

#include <strata/io/onnx.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  try {
    const auto model = load_onnx(bytes);
    // A model that was read can be written and read again.
    const auto again = load_onnx(save_onnx_to_memory(model));
    if (again.parameter_count() != model.parameter_count()) __builtin_trap();
  } catch (const FormatError&) {
  }
  try {
    Sequential<LSTM<float, 2, 3>, Dense<float, 3, 1>> model;
    load_onnx(bytes, model);
  } catch (const FormatError&) {
  }
  return 0;
}
