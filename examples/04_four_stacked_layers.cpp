// Four stacked LSTM layers with a Dense head, chosen while the program runs: the adding problem.
//
// Teaches the run-time container: Sequential<> with add, in a loop, as deep as a number says. The
// task is that of Hochreiter and Schmidhuber (1997): a sequence of random numbers, two of which are
// marked; the answer is the sum of these two, so they must be remembered and all others ignored.
// On screen: a few seconds of training, then true and predicted sums side by side.
//
//   04_four_stacked_layers [layers]

#include <strata/strata.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

using namespace strata;

namespace {

constexpr Index steps = 20;

struct Samples {
  Tensor<float> x;  // (B, 20, 2): the number, and 1 where it is marked
  Tensor<float> y;  // (B, 1)
};

// One mark in the first half of each sequence, one in the second.
Samples sums(Index count, Random random) {
  Samples samples{Tensor<float>({count, steps, 2}), Tensor<float>({count, 1})};
  for (Index b = 0; b < count; ++b) {
    for (Index t = 0; t < steps; ++t) samples.x(b, t, 0) = static_cast<float>(random.uniform());
    for (const Index half : {Index{0}, steps / 2}) {
      const Index t = half + random.below(steps / 2);
      samples.x(b, t, 1) = 1;
      samples.y(b, 0) += samples.x(b, t, 0);
    }
  }
  return samples;
}

int run(int layers) {
  const Samples train = sums(4000, Random(1));
  const Samples test = sums(500, Random(2));

  Sequential<> model;
  model.add(Input{steps, 2});
  for (int i = 1; i < layers; ++i) model.add(LSTM{24, return_sequences});
  model.add(LSTM{24});
  model.add(Dense{1});
  std::cout << model.summary() << '\n';
  model.compile(Adam{.learning_rate = 1e-2, .clip = {.global_norm = 1}}, MeanSquaredError{});
  model.fit(train.x, train.y, {.epochs = 15, .callbacks = {CosineDecay{}}});

  const Tensor<float> forecast = model.predict(test.x);
  std::printf("\n  marked numbers    true sum    predicted\n");
  for (Index b = 0; b < 8; ++b) {
    std::printf("  ");
    for (Index t = 0; t < steps; ++t) {
      if (test.x(b, t, 1) == 1) std::printf("%5.3f   ", test.x(b, t, 0));
    }
    std::printf("%10.3f %12.3f\n", test.y(b, 0), forecast(b, 0));
  }

  Index right = 0;
  for (Index b = 0; b < test.y.batch(); ++b) {
    right += std::abs(forecast(b, 0) - test.y(b, 0)) < 0.04f;
  }
  const double share = static_cast<double>(right) / static_cast<double>(test.y.batch());
  std::printf("\nNew sequences answered to within 0.04, the limit of 1997: %.1f %%\n", 100 * share);
  if (share >= 0.95) return 0;
  std::printf("That is not solved: at least 95 %% are expected.\n");
  return 1;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(count > 1 ? std::atoi(words[1]) : 4);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
