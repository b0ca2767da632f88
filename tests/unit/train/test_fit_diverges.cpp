#include <cmath>
#include <string>
#include <type_traits>
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
struct WeightsOfBatches {
  std::vector<std::vector<double>>* seen;
  void on_train_begin(TrainingRun& run) const { seen->push_back(run.weights()); }
  void on_batch_end(TrainingRun& run, Index, const Logs&) const { seen->push_back(run.weights()); }
};

/// A learning rate for the updates after a batch.
struct Rate {
  Index too_large_after = -1;
  void on_train_begin(TrainingRun& run) const { run.set_learning_rate(0.01); }
  void on_batch_end(TrainingRun& run, Index batch, const Logs&) const {
    if (batch == too_large_after) run.set_learning_rate(1e37);
  }
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
    model.fit(
        x, y,
        {.epochs = 20, .batch_size = 8, .callbacks = {WeightsOfBatches{&seen}}, .verbose = 0});
  });
  INFO(text);
  REQUIRE(text.ends_with(advice));
  const auto weights = model.weights();
  REQUIRE(all_finite(weights));
  REQUIRE(std::isfinite(model.evaluate(x, y).loss));
  // They are the weights before the update that diverged.
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

TEST_CASE("fit: the memory of the optimizer goes back with the weights", "[fit]") {
  const auto data = sines<float>(32);
  const auto first = [&](const Tensor<float>& all, Index count) { return all.rows(0, count); };
  const auto compiled = [] {
    auto model = diverging(0.01);
    model.compile(SGD{.learning_rate = 0.01, .momentum = 0.9}, MeanSquaredError{});
    return model;
  };
  const auto train = [](auto& model, const Tensor<float>& x, const Tensor<float>& y, Rate rate) {
    model.fit(x, y, {.batch_size = 8, .shuffle = false, .callbacks = {rate}, .verbose = 0});
  };
  // The third update is too large, which the fourth step finds.
  auto model = compiled();
  REQUIRE_THROWS_AS(train(model, data.x, data.y, Rate{.too_large_after = 1}), ValueError);
  // As if the third update had not been.
  auto expected = compiled();
  train(expected, first(data.x, 16), first(data.y, 16), Rate{});
  REQUIRE(model.weights() == expected.weights());
  for (auto* both : {&model, &expected}) train(*both, first(data.x, 16), first(data.y, 16), Rate{});
  REQUIRE(model.weights() == expected.weights());
}

TEMPLATE_TEST_CASE("Trainer: a step that fails changes neither weights nor memory", "[fit]", SGD,
                   AdamW) {
  const auto data = sines<float>(8);
  Tensor<float> far = data.y;
  for (float& value : far.values()) value = 1e3f;
  auto model = diverging(0.01);
  auto expected = model;
  TestType rule{.learning_rate = 0.01};
  if constexpr (std::is_same_v<TestType, SGD>) {
    rule.momentum = 0.9;
  } else {
    rule.weight_decay = 0;
  }
  Trainer trainer{model, rule, MeanSquaredError{}};
  Trainer undisturbed{expected, rule, MeanSquaredError{}};
  trainer.step(data.x, data.y);
  trainer.optimizer().set_learning_rate(1e39);
  REQUIRE_THROWS_AS(trainer.step(data.x, far), ValueError);
  trainer.optimizer().set_learning_rate(0.01);
  trainer.step(data.x, data.y);
  for (int i = 0; i < 2; ++i) undisturbed.step(data.x, data.y);
  REQUIRE(model.weights() == expected.weights());
  REQUIRE(trainer.optimizer().iterations() == 2);
}

TEST_CASE("EncoderDecoderTrainer: a step that fails changes neither weights nor memory", "[fit]") {
  const auto data = sines<float>(8);
  Sequential<> encoder;
  encoder.add(Input{6, 1});
  encoder.add(LSTM{4});
  auto decoder = diverging(0.01);
  auto same_encoder = encoder;
  auto same_decoder = decoder;
  const SGD rule{.learning_rate = 0.01, .momentum = 0.9, .clip = {.global_norm = 1e30}};
  EncoderDecoderTrainer trainer{encoder, decoder, rule, MeanSquaredError{}};
  EncoderDecoderTrainer undisturbed{same_encoder, same_decoder, rule, MeanSquaredError{}};
  trainer.step(data.x, data.x, data.y);
  trainer.optimizer().set_learning_rate(1e39);
  REQUIRE(
      error_text<ValueError>([&] { trainer.step(data.x, data.x, data.y); }) ==
      "a weight is not finite after the update; the weights are kept from before. Try a smaller "
      "learning rate, which is 1e+39, or a smaller limit than .clip = {.global_norm = 1e+30}");
  trainer.optimizer().set_learning_rate(0.01);
  trainer.step(data.x, data.x, data.y);
  for (int i = 0; i < 2; ++i) undisturbed.step(data.x, data.x, data.y);
  REQUIRE(encoder.weights() == same_encoder.weights());
  REQUIRE(decoder.weights() == same_decoder.weights());
}

TEST_CASE("fit: advice looks at the settings and the data", "[fit]") {
  const std::string kept = "; the weights are kept from before. ";
  const auto text = [&](Sequential<> model, SGD rule, float x) {
    model.compile(rule, MeanSquaredError{});
    return error_text<ValueError>([&] {
      model.fit(Tensor<float>({1, 1}, {x}), Tensor<float>({1, 1}, {1}), {.verbose = 0});
    });
  };
  Sequential<> model;
  model.add(Input{1});
  model.add(Dense{1});
  REQUIRE(text(model, {.learning_rate = 1e39, .clip = {.global_norm = 1}}, 1) ==
          "a weight is not finite after the update" + kept +
              "Try a smaller learning rate, which is 1e+39, or a smaller limit than .clip = "
              "{.global_norm = 1}");
  REQUIRE(text(model, {}, 1e30f) ==
          "a gradient is not finite" + kept +
              "This is the first step, so that the learning rate is not the reason: scale the data "
              "to about 1: x goes up to 1e+30, y up to 1");
  model.set_weights(std::vector<float>{3e38f, 3e38f});
  REQUIRE(text(model, {}, 2) ==
          "the loss is infinite" + kept +
              "This is the first step, so that the learning rate is not the reason: look at the "
              "weights that the model has been given, and at the loss");
}
