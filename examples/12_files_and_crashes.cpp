// Files: a training that a crash does not hurt, and a model that is saved, loaded and streamed.
//
// Teaches save, load, load_weights and ModelCheckpoint. A network learns to follow a noisy sine; in
// the middle of an epoch the program "crashes". Started again, it goes on from the checkpoint, and
// ends with the same bits as a training that was never interrupted. The model goes into a file with
// two samples and their outputs, by which every load tests itself; it is loaded into a model of
// fixed sizes, and streamed. On screen: where the crash was, and what is equal to what.

#include <strata/io/checkpoint.hpp>
#include <strata/io/safetensors.hpp>
#include <strata/strata.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

using namespace strata;

namespace {

constexpr Index sequences = 96;
constexpr Index steps = 20;
const std::string checkpoint_file = "training.safetensors";
const std::string model_file = "sine.safetensors";

/// Noisy sines, and at each step the sine without noise.
std::pair<Tensor<float>, Tensor<float>> sines() {
  Tensor<float> x({sequences, steps, 1});
  Tensor<float> y({sequences, steps, 1});
  Random random(1);
  for (Index b = 0; b < sequences; ++b) {
    const double phase = 6.28 * random.uniform();
    for (Index t = 0; t < steps; ++t) {
      y(b, t, 0) = static_cast<float>(std::sin(phase + 0.4 * static_cast<double>(t)));
      x(b, t, 0) = y(b, t, 0) + static_cast<float>(0.3 * random.normal());
    }
  }
  return {x, y};
}

Sequential<> network() {
  Sequential<> model;
  model.add(Input{Dynamic, 1});
  model.add(LSTM{16, return_sequences, {.dropout = 0.1}});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{});
  return model;
}

/// Stands for a power cut: ends the training at once.
struct Crash {
  bool wanted = false;
  void on_batch_end(TrainingRun& run, Index batch, const Logs&) {
    if (wanted && ++batches == 4 * run.batches() + 2) {
      throw std::runtime_error("crash in epoch 5, after batch " + std::to_string(batch + 1));
    }
  }
  Index batches = 0;
};

void train(Sequential<>& model, bool crash, const std::string& file) {
  const auto [x, y] = sines();
  model.fit(x, y,
            {.epochs = 10,
             .batch_size = 16,
             .callbacks = {Crash{crash},
                           ModelCheckpoint{.path = file, .resume = true, .every_batches = 1}},
             .verbose = 0});
}

bool run() {
  std::filesystem::remove(checkpoint_file);
  std::filesystem::remove("undisturbed.safetensors");

  Sequential<> undisturbed = network();
  train(undisturbed, false, "undisturbed.safetensors");

  Sequential<> first = network();
  try {
    train(first, true, checkpoint_file);
  } catch (const std::runtime_error& error) {
    std::cout << error.what() << "\n";
  }
  Sequential<> model = network();
  train(model, false, checkpoint_file);
  const bool same = model.weights() == undisturbed.weights();
  std::cout << "Started again, the training ends with " << (same ? "the same" : "OTHER")
            << " weights as without a crash.\n";

  // One call each way. The file carries two samples and their outputs, which load compares.
  const auto [x, y] = sines();
  save(model_file, model, {.self_test = x.rows(0, 2)});
  const Sequential<> again = load(model_file);
  std::cout << "\n" << again.summary();

  // Sizes fixed by the type: no heap, and a stream that neither allocates nor locks.
  Sequential<LSTM<float, 1, 16, return_sequences>, Dense<float, 16, 1>> fixed;
  load_weights(model_file, fixed);
  Stream stream{fixed};
  const Tensor<float> expected = again.predict(x.rows(0, 1));
  double largest = 0;
  for (Index t = 0; t < steps; ++t) {
    const double error = std::abs(static_cast<double>(stream(x(0, t, 0)) - expected(0, t, 0)));
    largest = std::max(largest, error);
  }
  std::printf("\nThe stream of the loaded weights is within %.1g of the loaded model.\n", largest);
  return same && largest < 1e-5;
}

}  // namespace

int main() {
  try {
    return run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
