// A training loop of your own.
//
// Teaches Trainer. A network learns to tell in which third of a sequence a bump lies. The loop adds
// the gradients of four small batches before each update, lowers the learning rate by hand, keeps a
// layer frozen at first, and stops when the validation part gets no better. Afterwards the
// derivative of the loss by the input shows which steps the network looks at. On screen: loss and
// accuracy from time to time, the accuracy on sequences that were not trained, and the share of the
// derivative that lies on the bump.

#include <strata/strata.hpp>

#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <limits>
#include <vector>

using namespace strata;

namespace {

constexpr Index steps = 24;

struct Data {
  Tensor<float> x;            // (B, T, 1)
  Tensor<float> y;            // (B, 1): the third, 0 to 2
  std::vector<Index> middle;  // of each bump
};

Data bumps(Index count, std::uint64_t seed) {
  Data data{Tensor<float>({count, steps, 1}), Tensor<float>({count, 1}), {}};
  Random random(seed);
  for (Index b = 0; b < count; ++b) {
    const Index middle = random.below(steps);
    for (Index t = 0; t < steps; ++t) {
      const double distance = static_cast<double>(t - middle);
      const double noise = 0.6 * (random.uniform() - 0.5);
      data.x(b, t, 0) = static_cast<float>(std::exp(-0.5 * distance * distance) + noise);
    }
    data.y(b, 0) = static_cast<float>(3 * middle / steps);
    data.middle.push_back(middle);
  }
  return data;
}

int run() {
  constexpr Index batch_size = 16;
  const Data train = bumps(512, 1), valid = bumps(128, 2), test = bumps(256, 3);
  Sequential<> model;
  model.add(Input{steps, 1});
  model.add(Bidirectional{LSTM{12}});
  model.add(Dense{3, Activation::softmax});

  Trainer trainer{model,
                  Adam{.learning_rate = 0.01, .clip = {.global_norm = 1}},
                  SparseCategoricalCrossentropy{},
                  {Accuracy{}}};
  model.compile(Adam{}, SparseCategoricalCrossentropy{}, {Accuracy{}});  // for evaluate
  model.set_trainable("bidirectional", false);

  double best = std::numeric_limits<double>::infinity();
  std::vector<float> best_weights = model.weights();
  int waited = 0;
  for (int epoch = 0; epoch < 60 && waited < 6; ++epoch) {
    // The head alone learns at first.
    if (epoch == 2) model.set_trainable("bidirectional", true);
    trainer.reset_metrics();
    Gradients<float> sum;
    int added = 0;
    for (Index first = 0; first < train.x.batch(); first += batch_size) {
      sum += trainer.gradients(train.x.rows(first, batch_size), train.y.rows(first, batch_size));
      if (++added < 4) continue;
      sum *= 0.25;
      trainer.apply(sum);
      sum = {};
      added = 0;
    }
    trainer.set_learning_rate(0.97 * trainer.learning_rate());

    const double loss = model.evaluate(valid.x, valid.y).loss;
    ++waited;
    if (loss < best) {
      best = loss;
      best_weights = model.weights();
      waited = 0;
    }
    if (epoch % 10 == 9) {
      std::printf("epoch %2d: loss %.3f, accuracy %.3f; validation loss %.3f\n", epoch + 1,
                  trainer.metrics().loss, trainer.metrics()["accuracy"], loss);
    }
  }
  model.set_weights(best_weights);

  const double accuracy = model.evaluate(test.x, test.y)["accuracy"];
  Tensor<float> dx;
  (void)trainer.gradients(test.x, test.y, {.input_derivative = &dx});
  double on_bump = 0, all = 0;
  for (Index b = 0; b < dx.batch(); ++b) {
    for (Index t = 0; t < steps; ++t) {
      const double slope = std::abs(static_cast<double>(dx(b, t, 0)));
      all += slope;
      if (std::abs(t - test.middle[static_cast<std::size_t>(b)]) <= 2) on_bump += slope;
    }
  }
  std::printf("accuracy on new sequences: %.3f\n", accuracy);
  std::printf("share of the derivative by x on the five steps around the bump: %.2f\n",
              on_bump / all);
  // Five steps of 24 are 0.21 of a sequence.
  return accuracy > 0.85 && on_bump / all > 0.3 ? 0 : 1;
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
