// Any bytes are a model of RTNeural, or a FormatError; nothing else happens.

#include <cstddef>
#include <cstdint>
#include <span>

#include <strata/io/rtneural.hpp>

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  try {
    (void)load_rtneural(bytes);
  } catch (const FormatError&) {
  }
  try {
    Sequential<LSTM<float, 2, 3, return_sequences>, Dense<float, 3, 1>> model;
    load_rtneural(bytes, model);
  } catch (const FormatError&) {
  }
  return 0;
}
