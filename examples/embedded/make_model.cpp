// On the computer: trains a small network to distort a sound as an amplifier would, and writes it
// as C++ headers for the device, once with floats and once with 16-bit integers for its matrices.
//
//   make_model <folder>

#include <cmath>
#include <cstdio>
#include <string>

#include <strata/io/header.hpp>
#include <strata/strata.hpp>

using namespace strata;

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: make_model <folder>\n");
    return 2;
  }
  constexpr Index sequences = 64;
  constexpr Index steps = 64;
  Tensor<float> x({sequences, steps, 1});
  Tensor<float> y({sequences, steps, 1});
  Random random(1);
  for (Index b = 0; b < sequences; ++b) {
    double smooth = 0;
    const double pitch = 0.05 + 0.4 * random.uniform();
    for (Index t = 0; t < steps; ++t) {
      const double sound = std::sin(pitch * static_cast<double>(t)) + 0.05 * random.normal();
      smooth += 0.3 * (std::tanh(3 * sound) - smooth);
      x(b, t, 0) = static_cast<float>(sound);
      y(b, t, 0) = static_cast<float>(smooth);
    }
  }
  Sequential model{Input{Dynamic, 1}, LSTM{16, return_sequences}, Dense{1}};
  model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{});
  model.fit(x, y, {.epochs = 30, .batch_size = 16, .verbose = 0});
  std::printf("mean squared error %.5f\n", model.evaluate(x, y).loss);

  const std::string folder = std::string(words[1]) + "/";
  save_header(folder + "amp_full.hpp", model, {.name = "amp"});
  save_header(folder + "amp_int16.hpp", model, {.name = "amp", .precision = Precision::int16});
  return 0;
}
