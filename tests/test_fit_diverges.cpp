#include <cmath>
#include <limits>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/series.hpp"

// A training that runs away: a clear error, and the last good weights.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

Sequential<> diverging(double learning_rate) {
  Sequential<> model;
  model.add(Input{6, 1});
  model.add(LSTM{4});
  model.add(Dense{1});
  model.compile(SGD{.learning_rate = learning_rate}, MeanSquaredError{});
  return model;
}

bool all_finite(const std::vector<float>& values) {
  for (const float value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

/// The weights at the start of every batch.
struct Weights {
  std::vector<std::vector<double>>* seen;
  void on_train_begin(TrainingRun& run) const { seen->push_back(run.weights()); }
  void on_batch_end(TrainingRun& run, Index, const Logs&) const { seen->push_back(run.weights()); }
};

const std::string advice =
    "; the weights are kept from before. Try a smaller learning rate or clip the gradients "
    "(.clip = {.global_norm = 1})";

}  // namespace

TEST_CASE("fit: a loss that is not finite ends it with the last good weights", "[fit]") {
  const auto data = sines<float>(32);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = diverging(1e25);
  std::vector<std::vector<double>> seen;
  const std::string text = error_text<ValueError>([&] {
    model.fit(x, y, {.epochs = 20, .batch_size = 8, .callbacks = {Weights{&seen}}, .verbose = 0});
  });
  INFO(text);
  REQUIRE(text.ends_with(advice));
  const auto weights = model.weights();
  REQUIRE(all_finite(weights));
  REQUIRE(std::isfinite(model.evaluate(x, y).loss));
  // They are those before the update that was one too many.
  REQUIRE(seen.size() >= 2);
  REQUIRE(std::equal(weights.begin(), weights.end(), seen[seen.size() - 2].begin()));

  SECTION("and training can go on") {
    model.initialize(0);
    model.compile(Adam{.learning_rate = 0.01}, MeanSquaredError{});
    const double before = model.evaluate(x, y).loss;
    model.fit(x, y, {.epochs = 20, .batch_size = 8, .verbose = 0});
    REQUIRE(model.evaluate(x, y).loss < before);
  }
}

TEST_CASE("fit: weights that are not finite after the last update are not kept", "[fit]") {
  const auto data = sines<float>(8);
  const auto& x = data.x;
  const auto& y = data.y;
  Tensor<float> far = y;
  for (float& value : far.values()) value = 1e3f;
  auto model = diverging(1e37);
  const auto before = model.weights();
  const std::string text = error_text<ValueError>([&] { model.fit(x, far, {.verbose = 0}); });
  INFO(text);
  REQUIRE(text.ends_with(advice));
  REQUIRE(model.weights() == before);
}

TEST_CASE("train_on_batch: an update that is not finite is not made", "[fit]") {
  const auto data = sines<float>(8);
  const auto& x = data.x;
  const auto& y = data.y;
  Tensor<float> far = y;
  for (float& value : far.values()) value = 1e3f;
  auto model = diverging(1e37);
  const auto before = model.weights();
  REQUIRE(error_text<ValueError>([&] { model.train_on_batch(x, far); }).ends_with(advice));
  REQUIRE(model.weights() == before);
  Trainer trainer{model, SGD{.learning_rate = 1e37}, MeanSquaredError{}};
  REQUIRE(error_text<ValueError>([&] { trainer.step(x, far); }).ends_with(advice));
  REQUIRE(model.weights() == before);
  trainer.optimizer().set_learning_rate(0.01);
  REQUIRE(std::isfinite(trainer.step(x, y)));
  REQUIRE(model.weights() != before);
}
