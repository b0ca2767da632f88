// A program that links strata::compiled and reads and writes files. `files <Keras> <ONNX>`: the
// files that it reads besides its own.
#include <algorithm>
#include <cstdio>
#include <string>

#include <strata/io/keras.hpp>
#include <strata/io/onnx.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

using namespace strata;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    Sequential model{Input{4, 3}, LSTM{8}, Dense{2}};
    save("model.safetensors", model);
    const auto same = load("model.safetensors");
    Sequential<LSTM<float, 3, 8>, Dense<float, 8, 2>> fixed;
    load_weights("model.safetensors", fixed);
    const Tensor<float> x({1, 4, 3});
    const Tensor<float> expected = model.predict(x);
    const Tensor<float> found = same.predict(x);
    const bool good =
        std::equal(found.values().begin(), found.values().end(), expected.values().begin()) &&
        fixed.weights() == model.weights();
    const auto keras = load_keras(argv[1]);
    const auto onnx = load_onnx(argv[2]);
    std::printf("%s%s", keras.summary().c_str(), onnx.summary().c_str());
    return good ? 0 : 1;
  } catch (const Error& error) {
    std::printf("error: %s\n", error.what());
    return 2;
  }
}
