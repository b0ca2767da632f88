// Two stacked LSTM layers with a Dense head: the next five values of a damped sine.
//
// Teaches the stack: every LSTM but the last returns sequences, so that the next one has steps to
// read; Dense turns the last output into as many values as wanted. The joints are checked while
// compiling. Each sine has a period and a damping of its own, and is gone from the network's sight
// after 50 steps. On screen: a few seconds of training, then true and predicted values side by
// side.

#include <strata/strata.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>

using namespace strata;

namespace {

constexpr Index seen = 50;
constexpr Index ahead = 5;

struct Samples {
  Tensor<float> x;  // (B, 50, 1)
  Tensor<float> y;  // (B, 5)
};

Samples damped_sines(Index count, Random random) {
  constexpr double two_pi = 6.283185307179586;
  Samples samples{Tensor<float>({count, seen, 1}), Tensor<float>({count, ahead})};
  for (Index b = 0; b < count; ++b) {
    const double period = 10 + 10 * random.uniform();
    const double damping = 0.005 + 0.025 * random.uniform();
    for (Index t = 0; t < seen + ahead; ++t) {
      const auto i = static_cast<double>(t);
      const double value = 0.5 + 0.5 * std::sin(two_pi * i / period) * std::exp(-damping * i);
      (t < seen ? samples.x(b, t, 0) : samples.y(b, t - seen)) = static_cast<float>(value);
    }
  }
  return samples;
}

int run() {
  const Samples train = damped_sines(2000, Random(1));
  const Samples test = damped_sines(500, Random(2));

  Sequential model{Input{seen, 1}, LSTM{20, return_sequences}, LSTM{20}, Dense{ahead}};
  std::cout << model.summary() << '\n';
  model.compile(Adam{.learning_rate = 1e-2}, MeanSquaredError{}, {MeanAbsoluteError{}});
  model.fit(train.x, train.y, {.epochs = 15, .callbacks = {CosineDecay{}}});

  const Tensor<float> forecast = model.predict(test.x);
  std::printf("\nFour sines that it has not seen, from step 51 to 55\n");
  for (Index b = 0; b < 4; ++b) {
    std::printf("\n  true     ");
    for (Index i = 0; i < ahead; ++i) std::printf("  %6.3f", test.y(b, i));
    std::printf("\n  predicted");
    for (Index i = 0; i < ahead; ++i) std::printf("  %6.3f", forecast(b, i));
    std::printf("\n");
  }

  const double error = model.evaluate(test.x, test.y)["mae"];
  const bool solved = error < 0.02;
  std::printf("\nMean absolute error over 500 new sines: %.4f, %s 0.02\n", error,
              solved ? "below" : "not below");
  return solved ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
