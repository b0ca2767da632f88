#include <algorithm>
#include <cmath>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

namespace {

using namespace strata;
using strata::test::error_text;

/// The next class of a cycle that both sequences of the data go through: 0 1 2 0 1 2 ...
Tensor<float> cycle(Index steps, Index first) {
  Tensor<float> ids({2, steps});
  for (Index b = 0; b < 2; ++b) {
    for (Index t = 0; t < steps; ++t) ids(b, t) = static_cast<float>((first + b + t) % 3);
  }
  return ids;
}

Sequential<> model_of(double dropout = 0) {
  Sequential<> model;
  model.add(Embedding{3, 4});
  model.add(LSTM{6, return_sequences, {.dropout = dropout}});
  model.add(Dense{3});
  model.build(Input{Dynamic});
  model.initialize(1);
  return model;
}

const SparseCategoricalCrossentropy next_class{.from_logits = true};

}  // namespace

TEST_CASE("Dynamic evaluation: without learning it is evaluation", "[dynamic_evaluation]") {
  Sequential<> model = model_of(0.5);
  const Tensor<float> x = cycle(25, 0);
  const Tensor<float> y = cycle(25, 1);
  model.compile(SGD{}, next_class, {Accuracy{}});
  const Evaluation all = model.evaluate(x, y);
  for (const Index window : {1, 7, 25, 100}) {
    const auto dynamic = dynamic_evaluation(model, SGD{.learning_rate = 0}, next_class, x, y,
                                            {.window = window, .metrics = {Accuracy{}}});
    // Sums of the same numbers, in another order, of outputs that float rounds otherwise.
    CHECK(std::abs(dynamic.figures.loss - all.loss) < 1e-6);
    CHECK(dynamic.figures.metrics["accuracy"] == all.metrics["accuracy"]);
    CHECK(dynamic.model.weights() == model.weights());
  }
}

TEST_CASE("Dynamic evaluation: it is the loop of predictions and steps", "[dynamic_evaluation]") {
  const Sequential<> model = model_of();
  const Tensor<float> x = cycle(20, 0);
  const Tensor<float> y = cycle(20, 1);
  Mask mask(2, 20);
  mask.set(1, 3, false);
  mask.set(0, 12, false);
  const std::vector<float> before = model.weights();
  const auto dynamic = dynamic_evaluation(model, Adam{.learning_rate = 0.05}, next_class, x, y,
                                          {.window = 5, .mask = mask});
  CHECK(model.weights() == before);

  Sequential<> taught = model;
  Trainer trainer{taught, Adam{.learning_rate = 0.05}, next_class};
  const Loss<float> scores = next_class;
  State<float> state;
  double sum = 0;
  for (Index first = 0; first < 20; first += 5) {
    Tensor<float> x_window({2, 5});
    Tensor<float> y_window({2, 5});
    for (Index b = 0; b < 2; ++b) {
      for (Index t = 0; t < 5; ++t) {
        x_window(b, t) = x(b, first + t);
        y_window(b, t) = y(b, first + t);
      }
    }
    const Mask part = mask.part(0, 2, first, 5);
    State<float> learned = state;
    const Tensor<float> prediction = taught.predict(x_window, {.mask = part, .state = &state});
    sum += scores(prediction, y_window, nullptr, part) * static_cast<double>(part.count());
    trainer.step(x_window, y_window, {.mask = part, .state = &learned});
  }
  // The same numbers, multiplied by the counts in another order.
  CHECK(std::abs(dynamic.figures.loss - sum / 38) < 1e-12);
  CHECK(dynamic.model.weights() == taught.weights());
}

TEST_CASE("Dynamic evaluation: it gets used to the data", "[dynamic_evaluation]") {
  const Tensor<float> x = cycle(300, 0);
  const Tensor<float> y = cycle(300, 1);
  Sequential model{Embedding{3, 4}, LSTM{8, return_sequences}, Dense{3}};
  model.build(Input{Dynamic});
  model.initialize(2);
  model.compile(SGD{}, next_class);
  const double still = model.evaluate(x, y).loss;
  const auto dynamic =
      dynamic_evaluation(model, Adam{.learning_rate = 0.02}, next_class, x, y, {.window = 10});
  CHECK(dynamic.figures.loss < 0.7 * still);
  Sequential adapted = dynamic.model;
  adapted.compile(SGD{}, next_class);
  CHECK(adapted.evaluate(x, y).loss < dynamic.figures.loss);
}

TEST_CASE("Dynamic evaluation: what it cannot score is refused", "[dynamic_evaluation]") {
  const Sequential<> model = model_of();
  const Tensor<float> x = cycle(6, 0);
  const Tensor<float> y = cycle(6, 1);
  CHECK(error_text<ValueError>([&] {
          (void)dynamic_evaluation(model, SGD{}, next_class, x, y, {.window = 0});
        }) == "dynamic_evaluation: window must be at least 1 step, found 0");
  CHECK(error_text<ValueError>([&] { (void)dynamic_evaluation(model, SGD{}, CTC{}, x, y); }) ==
        "dynamic_evaluation: scores windows, but the loss ctc needs whole sequences");
  Sequential<> last;
  last.add(LSTM{2});
  last.build(Input{4, 1});
  CHECK(error_text<ShapeError>([&] {
          (void)dynamic_evaluation(last, SGD{}, MeanSquaredError{}, Tensor<float>({2, 4, 1}),
                                   Tensor<float>({2, 2}));
        }) ==
        "dynamic_evaluation: needs a model with one output for each step, found outputs (2, 2)");
  Sequential<> both_ways;
  both_ways.add(Bidirectional{LSTM{2, return_sequences}});
  both_ways.build(Input{4, 1});
  CHECK(error_text<ValueError>([&] {
          (void)dynamic_evaluation(both_ways, SGD{}, MeanSquaredError{}, Tensor<float>({2, 4, 1}),
                                   Tensor<float>({2, 4, 4}));
        }).starts_with("dynamic_evaluation carries a state: layer 0 (Bidirectional"));
  CHECK_THROWS_AS(dynamic_evaluation(Sequential<>(), SGD{}, next_class, x, y), StateError);
}
