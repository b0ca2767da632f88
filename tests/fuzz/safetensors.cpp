// Any bytes are a model, a training, weights for a model, or a FormatError; nothing else happens.

#include <cstddef>
#include <cstdint>
#include <span>

#include <strata/io/checkpoint.hpp>
#include <strata/io/safetensors.hpp>

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  try {
    const auto model = load(bytes);
    // A file that was read can be written and read again.
    const auto again = load(save_to_memory(model));
    if (again.parameter_count() != model.parameter_count()) __builtin_trap();
  } catch (const FormatError&) {
  }
  try {
    Sequential<LSTM<float, 2, 3, return_sequences>, Dense<float, 3, 1>> model;
    load_weights(bytes, model);
  } catch (const FormatError&) {
  }
  try {
    (void)io::read_checkpoint(bytes);
  } catch (const FormatError&) {
  }
  return 0;
}
