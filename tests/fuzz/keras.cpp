// Any bytes are a model of Keras, its weights, its config, or a FormatError; nothing else happens.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <strata/io/keras.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/lstm.hpp>

using namespace strata;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(data, size);
  if (size > 0 && data[0] == '{') {
    // A config alone, which archives hide behind a checksum.
    try {
      const std::string_view text(reinterpret_cast<const char*>(data), size);
      const io::Where where("fuzz");
      const auto architecture = io::keras_architecture(text, {}, where);
      (void)io::described_model(architecture, 1000, io::LayerMaker<float>(), where);
    } catch (const FormatError&) {
    }
    return 0;
  }
  try {
    const auto model = load_keras(bytes);
    (void)model.parameter_count();
  } catch (const FormatError&) {
  }
  try {
    Sequential<LSTM<float, 2, 3>, Dense<float, 3, 1>> model;
    load_keras_weights(bytes, model);
  } catch (const FormatError&) {
  }
  return 0;
}
