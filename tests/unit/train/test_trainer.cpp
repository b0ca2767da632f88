#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/series.hpp"

// Loops of a user's own: gradients without an update, accumulation, metrics; and ways to end a
// training and to average its weights.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

Sequential<> trainer_model(double dropout = 0) {
  Sequential<> model;
  model.add(Input{6, 1});
  model.add(LSTM{4, {.dropout = dropout}});
  model.add(Dense{1});
  return model;
}

}  // namespace

TEST_CASE("Trainer: gradients and apply are a step", "[trainer]") {
  const auto data = sines<float>(30);
  const double dropout = GENERATE(0.0, 0.4);
  const WeightRules rules{.regularizers = {{"kernel", L2{0.01}}}};
  const BatchOptions<float> options{.sample_weight = std::vector<float>(30, 0.5f),
                                    .weight_noise = 0.01};
  Sequential<> one = trainer_model(dropout), two = one;
  one.set_threads(GENERATE(1, 2));
  Trainer steps{one, Adam{.clip = {.global_norm = 0.1}}, MeanSquaredError{}, rules};
  Trainer parts{two, Adam{.clip = {.global_norm = 0.1}}, MeanSquaredError{}, rules};
  for (int i = 0; i < 3; ++i) {
    const double loss = steps.step(data.x, data.y, options);
    const auto before = two.weights();
    const Gradients<float> gradients = parts.gradients(data.x, data.y, options);
    REQUIRE(two.weights() == before);
    REQUIRE(gradients.loss() == loss);
    parts.apply(gradients);
    REQUIRE(one.weights() == two.weights());
  }
}

TEST_CASE("Trainer: gradients of two halves add up to those of the whole", "[trainer]") {
  const auto data = sines<double>(8);
  Sequential model{Input{6, 1}, LSTM<double>{4}, Dense<double>{1}};
  Trainer trainer{model, SGD{.learning_rate = 0.1}, MeanSquaredError{}};
  const Gradients<double> whole = trainer.gradients(data.x, data.y);
  Gradients<double> sum;
  for (const Index first : {0, 4}) {
    sum += trainer.gradients(data.x.rows(first, 4), data.y.rows(first, 4));
  }
  sum *= 0.5;
  CHECK(std::abs(sum.loss() - whole.loss()) < 1e-15);
  for (std::size_t i = 0; i < whole.values().size(); ++i) {
    // Eight samples are added in another order.
    REQUIRE(std::abs(sum.values()[i] - whole.values()[i]) < 1e-15);
  }
  CHECK(whole.of("dense.bias").size() == 1);
  CHECK(whole.of("lstm.kernel").size() == 16);
  CHECK(whole.of("lstm.kernel").data() == whole.values().data());
  CHECK(error_text<ValueError>([&] { (void)whole.of("gru.kernel"); }) ==
        "gradients: the model has no parameter named gru.kernel");
}

TEST_CASE("Trainer: the derivative by the input", "[trainer]") {
  // 30 samples are computed in two shards.
  const auto data = sines<double>(30);
  Tensor<double> x = data.x;
  Sequential model{Input{6, 1}, LSTM<double>{4}, Dense<double>{1}};
  Trainer trainer{model, SGD{}, MeanSquaredError{}};
  if (GENERATE(false, true)) model.set_trainable("lstm", false);
  Tensor<double> dx;
  (void)trainer.gradients(x, data.y, {.input_derivative = &dx});
  REQUIRE(dx.shape() == x.shape());
  for (const Index i : {Index{0}, Index{7}, Index{100}, x.size() - 1}) {
    const double step = 1e-5, before = x.data()[i];
    x.data()[i] = before + step;
    const double above = trainer.gradients(x, data.y).loss();
    x.data()[i] = before - step;
    const double below = trainer.gradients(x, data.y).loss();
    x.data()[i] = before;
    // The error of central differences is some step^2; rounding adds 1e-16 / step.
    CHECK(std::abs(dx.data()[i] - (above - below) / (2 * step)) < 1e-9);
  }
}

TEST_CASE("Trainer: frozen parameters have no gradient", "[trainer]") {
  const auto data = sines<float>(4);
  Sequential<> model = trainer_model();
  model.set_trainable("lstm.kernel", false);
  Trainer trainer{model, SGD{}, MeanSquaredError{}};
  const Gradients<float> gradients = trainer.gradients(data.x, data.y);
  CHECK(test::all_of(gradients.of("lstm.kernel"), [](float g) { return g == 0; }));
  CHECK(test::any_of(gradients.of("lstm.bias"), [](float g) { return g != 0; }));
}

TEST_CASE("Trainer: each gradients call between two updates drops others", "[trainer]") {
  const auto data = sines<float>(4);
  Sequential<> model = trainer_model(0.5);
  Trainer trainer{model, SGD{}, MeanSquaredError{}};
  const auto first = trainer.gradients(data.x, data.y);
  const auto second = trainer.gradients(data.x, data.y);
  CHECK(!test::equal(first.values(), second.values()));
  trainer.seed(1);
  Trainer other{model, SGD{}, MeanSquaredError{}};
  const auto again = other.gradients(data.x, data.y);
  CHECK(test::equal(again.values(), first.values()));
}

TEST_CASE("Trainer: metrics since the last reset", "[trainer]") {
  const auto data = sines<float>(12);
  Sequential<> model = trainer_model();
  Trainer trainer{model, SGD{.learning_rate = 0}, MeanSquaredError{}, {MeanAbsoluteError{}}};
  CHECK(trainer.metrics().loss == 0);
  for (const Index first : {0, 4, 8}) {
    trainer.step(data.x.rows(first, 4), data.y.rows(first, 4));
  }
  model.compile(SGD{}, MeanSquaredError{}, {MeanAbsoluteError{}});
  const Evaluation expected = model.evaluate(data.x, data.y, {.batch_size = 4});
  // A pass of a training rounds in another way than a prediction.
  CHECK(std::abs(trainer.metrics().loss - expected.loss) < 1e-7);
  CHECK(std::abs(trainer.metrics()["mae"] - expected["mae"]) < 1e-7);
  trainer.reset_metrics();
  (void)trainer.gradients(data.x.rows(0, 4), data.y.rows(0, 4));
  const double first_loss = model.evaluate(data.x.rows(0, 4), data.y.rows(0, 4)).loss;
  CHECK(std::abs(trainer.metrics().loss - first_loss) < 1e-7);
  trainer.set_learning_rate(0.25);
  CHECK(trainer.learning_rate() == 0.25);
}

TEST_CASE("Trainer: what is refused", "[trainer]") {
  const auto data = sines<float>(4);
  Sequential<> model = trainer_model();
  Trainer trainer{model, SGD{}, MeanSquaredError{}};
  Gradients<float> gradients = trainer.gradients(data.x, data.y);
  const auto before = model.weights();
  Sequential<> other;
  other.add(Input{6, 1});
  other.add(LSTM{2});
  Trainer of_other{other, SGD{}, MeanSquaredError{}};
  CHECK(error_text<ShapeError>([&] { of_other.apply(gradients); }) ==
        "apply: the model has 32 parameters, found 101 gradients");
  CHECK(error_text<ShapeError>([&] {
          gradients += of_other.gradients(data.x, Tensor<float>({4, 2}));
        }) == "gradients: cannot add 32 numbers to 101");
  gradients.values()[3] = std::numeric_limits<float>::infinity();
  CHECK(error_text<ValueError>([&] {
          trainer.apply(gradients);
        }).starts_with("a gradient is not finite"));
  CHECK(model.weights() == before);
  Tensor<float> dx;
  CHECK(error_text<ValueError>([&] { trainer.step(data.x, data.y, {.input_derivative = &dx}); }) ==
        "input_derivative is for Trainer::gradients; a step has none");
  CHECK(error_text<ValueError>([&] { trainer.step(data.x, data.y, {.weight_noise = -1}); }) ==
        "weight_noise must be at least 0, found -1");

  Sequential<> words;
  words.add(Embedding{5, 3});
  words.add(LSTM{2});
  words.add(Dense{1});
  Trainer reader{words, SGD{}, MeanSquaredError{}};
  const Tensor<float> ids({4, 2}, {0, 1, 2, 3, 4, 0, 1, 2});
  CHECK(error_text<ValueError>([&] {
          (void)reader.gradients(ids, data.y, {.input_derivative = &dx});
        }) == "input_derivative: the model reads class numbers, by which nothing can be derived");
}

TEST_CASE("stop_now ends a training within an epoch", "[fit][callbacks]") {
  struct Stop {
    int* batches;
    void on_batch_end(TrainingRun& run, Index batch, const Logs&) const {
      ++*batches;
      if (batch == 1) run.stop_now();
    }
  };
  const auto data = sines<float>(20);
  Sequential<> model = trainer_model();
  model.compile(Adam{}, MeanSquaredError{});
  int batches = 0;
  const History history = model.fit(data.x, data.y,
                                    {.epochs = 5,
                                     .batch_size = 4,
                                     .shuffle = false,
                                     .validation_data = {data.x, data.y},
                                     .callbacks = {Stop{&batches}},
                                     .verbose = 0});
  CHECK(batches == 2);
  CHECK(history.epochs() == 1);
  CHECK(history.names() == std::vector<std::string>{"loss", "val_loss"});
  Sequential<> other = trainer_model();
  other.compile(Adam{}, MeanSquaredError{});
  other.fit(data.x.rows(0, 8), data.y.rows(0, 8),
            {.batch_size = 4, .shuffle = false, .verbose = 0});
  CHECK(model.weights() == other.weights());
}

TEST_CASE("MovingAverage averages the weights of all batches", "[fit][callbacks]") {
  struct Record {
    std::vector<std::vector<double>>* all;
    void on_batch_end(TrainingRun& run, Index, const Logs&) const { all->push_back(run.weights()); }
  };
  const auto data = sines<float>(12);
  const FitOptions<float> options{.epochs = 3, .batch_size = 4, .verbose = 0};
  std::vector<std::vector<double>> plain;
  Sequential<> model = trainer_model();
  model.compile(Adam{.learning_rate = 0.05}, MeanSquaredError{});
  FitOptions<float> recording = options;
  recording.callbacks = {Record{&plain}};
  const auto start = model.weights();
  model.fit(data.x, data.y, recording);
  std::vector<double> average(start.begin(), start.end());
  for (const auto& weights : plain) {
    for (std::size_t i = 0; i < average.size(); ++i) {
      average[i] = 0.75 * average[i] + 0.25 * weights[i];
    }
  }

  Sequential<> averaged = trainer_model();
  averaged.compile(Adam{.learning_rate = 0.05}, MeanSquaredError{});
  FitOptions<float> averaging = options;
  averaging.validation_data = {data.x, data.y};
  averaging.callbacks = {MovingAverage{.decay = 0.75}};
  const History history = averaged.fit(data.x, data.y, averaging);
  const auto found = averaged.weights();
  for (std::size_t i = 0; i < average.size(); ++i) {
    // One rounding to float: half a unit in its 24th digit.
    REQUIRE(std::abs(static_cast<double>(found[i]) - average[i]) <=
            0x1p-24 * std::max(1.0, std::abs(average[i])));
  }
  // The same batches: other ones round otherwise.
  CHECK(history["val_loss"].back() == averaged.evaluate(data.x, data.y, {.batch_size = 4}).loss);
  CHECK(error_text<ValueError>([&] {
          averaging.callbacks = {MovingAverage{.decay = 1}};
          averaged.fit(data.x, data.y, averaging);
        }) == "MovingAverage: decay must be at least 0 and below 1, found 1");
}
