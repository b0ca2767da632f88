// Any bytes are a model of Neural Amp Modeler, or a FormatError; nothing else happens.

#include <cstddef>
#include <cstdint>
#include <span>

#include <strata/io/nam.hpp>

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  try {
    const auto amp = load_nam(bytes);
    if (amp.rest.layers.size() != amp.model.layers().size()) __builtin_trap();
  } catch (const FormatError&) {
  }
  try {
    Sequential<LSTM<float, 1, 1, return_sequences>, Dense<float, 1, 1>> model;
    (void)load_nam(bytes, model);
  } catch (const FormatError&) {
  }
  return 0;
}
