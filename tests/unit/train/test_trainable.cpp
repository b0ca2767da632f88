#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/series.hpp"

// set_trainable, learning rates by name, and pop. tests/unit/golden/golden_freezing.cpp compares
// trainings with frozen layers with Keras.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

using Numbers = std::map<std::string, std::vector<float>>;

Numbers parameter_numbers(const Sequential<>& model) {
  Numbers all;
  for (const auto& parameter : model.parameters()) {
    all[parameter.name].assign(parameter.values.begin(), parameter.values.end());
  }
  return all;
}

Sequential<> freezable() {
  Sequential<> model;
  model.add(Input{6, 1});
  model.add(LSTM{3, return_sequences});
  model.add(LSTM{3});
  model.add(Dense{1});
  return model;
}

/// The parameters that a short training changes.
std::vector<std::string> changed_names(Sequential<> model, const WeightRules& rules = {}) {
  const auto data = sines<float>(8);
  model.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{}, {}, rules);
  const Numbers before = parameter_numbers(model);
  model.fit(data.x, data.y, {.epochs = 2, .weight_noise = 0.01, .verbose = 0});
  std::vector<std::string> names;
  for (const auto& [name, values] : parameter_numbers(model)) {
    if (values != before.at(name)) names.push_back(name);
  }
  return names;
}

}  // namespace

TEST_CASE("set_trainable freezes parameters by name", "[fit][trainable]") {
  Sequential<> model = freezable();
  CHECK(changed_names(model).size() == 8);
  SECTION("a layer, and not another whose name begins alike") {
    model.set_trainable("lstm", false);
    CHECK(changed_names(model) == std::vector<std::string>{"dense.bias", "dense.kernel",
                                                           "lstm_1.bias", "lstm_1.kernel",
                                                           "lstm_1.recurrent_kernel"});
  }
  SECTION("a parameter") {
    model.set_trainable("dense.bias", false);
    CHECK(changed_names(model).size() == 7);
  }
  SECTION("a kind of parameters") {
    model.set_trainable("kernel", false);
    CHECK(changed_names(model) == std::vector<std::string>{"dense.bias", "lstm.bias",
                                                           "lstm.recurrent_kernel", "lstm_1.bias",
                                                           "lstm_1.recurrent_kernel"});
  }
  SECTION("the last call holds") {
    model.set_trainable("lstm", false);
    model.set_trainable("lstm.bias", true);
    CHECK(changed_names(model).size() == 6);
    model.set_trainable("lstm", true);
    CHECK(changed_names(model).size() == 8);
  }
  SECTION("penalties and limits leave it alone") {
    model.set_trainable("lstm", false);
    model.set_trainable("lstm_1", false);
    CHECK(changed_names(model,
                        {.regularizers = {{"kernel", L2{0.1}}},
                         .constraints = {{"lstm", MaxNorm{0.1}}, {"lstm_1", NonNegative{}}}}) ==
          std::vector<std::string>{"dense.bias", "dense.kernel"});
  }
  SECTION("nothing is left to train") {
    for (const char* name : {"lstm", "lstm_1", "dense"}) model.set_trainable(name, false);
    CHECK(changed_names(model).empty());
  }
}

TEST_CASE("Frozen layers in front cost no derivatives, and change no bits behind", "[trainable]") {
  // The same training with and without a layer to train in front of frozen ones.
  const auto data = sines<float>(8);
  const auto trained_with = [&](double rate) {
    Sequential<> model = freezable();
    model.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{}, {},
                  {.rates = {{"lstm", rate}, {"lstm_1", rate}}});
    if (rate == 0) {
      model.set_trainable("lstm", false);
      model.set_trainable("lstm_1", false);
    }
    model.fit(data.x, data.y, {.epochs = 2, .verbose = 0});
    return model.weights();
  };
  Sequential<> by_rate = freezable();
  by_rate.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{}, {},
                  {.rates = {{"lstm", 0}, {"lstm_1", 0}}});
  by_rate.fit(data.x, data.y, {.epochs = 2, .verbose = 0});
  REQUIRE(trained_with(0) == by_rate.weights());
  REQUIRE(trained_with(0) != trained_with(1));
}

TEST_CASE("A normalization within a frozen layer computes as in prediction", "[fit][trainable]") {
  Tensor<float> x({8, 5, 2});
  Random random(3);
  for (float& value : x.values()) value = static_cast<float>(2 + random.normal());
  const Tensor<float> y({8, 5, 1});
  const auto check = [&](auto layer, const char* name, std::ptrdiff_t dense) {
    INFO(name);
    Sequential<> model;
    model.add(Input{Dynamic, 2});
    model.add(std::move(layer));
    model.add(Dense{1});
    model.initialize(1);
    model.set_trainable(name, false);
    model.compile(SGD{}, MeanSquaredError{});
    const double before = model.evaluate(x, y).loss;
    const auto weights = model.weights();
    const History history = model.fit(x, y, {.epochs = 1, .batch_size = 8, .verbose = 0});
    // The loss of the only batch is that before the update; two ways to sum it.
    CHECK(std::abs(history["loss"][0] - before) < 1e-6 * before);
    const auto after = model.weights();
    CHECK(std::equal(after.begin(), after.end() - dense, weights.begin()));
    CHECK(after != weights);
  };
  check(SkipConnections{LSTM{2, return_sequences}, BatchNormalization{}}, "skip_connections", 7);
  check(Chain{Dense{4}, BatchNormalization{}}, "chain", 5);
  check(Residual{Chain{Dense{2}, BatchNormalization{}}}, "residual", 3);
}

TEST_CASE("Learning rates by name", "[fit][trainable]") {
  const auto data = sines<float>(8);
  const auto step = [&](const WeightRules& rules) {
    Sequential<> model = freezable();
    model.compile(SGD{.learning_rate = 0.5}, MeanSquaredError{}, {}, rules);
    model.train_on_batch(data.x, data.y);
    return parameter_numbers(model);
  };
  const Numbers before = parameter_numbers(freezable()), plain = step({});
  const Numbers slow = step({.rates = {{"lstm", 0.25}, {"bias", 0}}});
  for (const auto& [name, values] : slow) {
    INFO(name);
    const double factor = name.ends_with("bias") ? 0 : name.starts_with("lstm.") ? 0.25 : 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double old = static_cast<double>(before.at(name)[i]);
      const double moved = static_cast<double>(plain.at(name)[i]) - old;
      // Each of the two updates is rounded to a float of a size below 2.
      REQUIRE(std::abs(static_cast<double>(values[i]) - old - factor * moved) <= 2.5e-7);
    }
  }
  SECTION("a Trainer takes them too, and a later compile without rates keeps them") {
    Sequential<> model = freezable();
    Trainer trainer{model,
                    SGD{.learning_rate = 0.5},
                    MeanSquaredError{},
                    {.rates = {{"lstm", 0.25}, {"bias", 0}}}};
    trainer.step(data.x, data.y);
    REQUIRE(parameter_numbers(model) == slow);
    Sequential<> copy = model;
    copy.compile(SGD{.learning_rate = 0.5}, MeanSquaredError{});
    CHECK(copy.parameters()[0].rate == 0.25);
  }
}

TEST_CASE("set_trainable and rates that are refused", "[trainable]") {
  Sequential<> model = freezable();
  CHECK(error_text<ValueError>([&] { model.set_trainable("gru", false); }) ==
        "set_trainable: the model has no parameter named gru");
  CHECK(error_text<ValueError>([&] { model.set_trainable("", false); }) ==
        "set_trainable: the model has no parameter named ");
  CHECK(error_text<ValueError>([&] {
          model.compile(Adam{}, MeanSquaredError{}, {}, {.rates = {{"lst", 0.1}}});
        }) == "rates: the model has no parameter named lst");
  CHECK(error_text<ValueError>([&] {
          model.compile(Adam{}, MeanSquaredError{}, {}, {.rates = {{"lstm", -1}}});
        }) == "rates: the factor for lstm must be at least 0 and finite, found -1");

  // Before the model is built its names are not known.
  const auto data = sines<float>(8);
  Sequential<> open;
  open.add(LSTM{3});
  open.add(Dense{1});
  open.compile(Adam{}, MeanSquaredError{});
  open.set_trainable("lstm", false);
  open.set_trainable("gru", false);
  CHECK(error_text<ValueError>([&] { open.fit(data.x, data.y, {.verbose = 0}); }) ==
        "set_trainable: the model has no parameter named gru");
  CHECK(!open.is_built());
}

TEST_CASE("A normalization alone may be frozen within a layer", "[fit][trainable]") {
  Tensor<float> x({8, 5, 2});
  Random random(3);
  for (float& value : x.values()) value = static_cast<float>(2 + random.normal());
  const Tensor<float> y({8, 5, 1});
  const auto trained = [&](const std::string& frozen) {
    Sequential<> model;
    model.add(Input{Dynamic, 2});
    model.add(Chain{Dense{4}, BatchNormalization{}, Chain{Dense{3}, BatchNormalization{}}});
    model.add(Dense{1});
    model.initialize(1);
    model.set_trainable(frozen, false);
    model.compile(SGD{.learning_rate = 0.1}, MeanSquaredError{});
    const Numbers before = parameter_numbers(model);
    model.fit(x, y, {.epochs = 1, .batch_size = 8, .verbose = 0});
    std::string kept;
    for (const auto& [name, numbers] : parameter_numbers(model)) {
      if (numbers == before.at(name)) kept += name + " ";
    }
    return kept;
  };
  CHECK(trained("chain.1") ==
        "chain.1.beta chain.1.gamma chain.1.moving_mean chain.1.moving_variance ");
  CHECK(trained("chain.2.1") ==
        "chain.2.1.beta chain.2.1.gamma chain.2.1.moving_mean chain.2.1.moving_variance ");
  CHECK(trained("chain.1.gamma") == "chain.1.gamma ");
}

TEST_CASE("A normalization with nothing to learn is not frozen with another layer", "[trainable]") {
  Tensor<float> x({8, 5, 2}), y({8, 5, 1});
  Random random(3);
  for (float& value : x.values()) value = static_cast<float>(2 + random.normal());
  const auto moves = [&](const std::string& frozen) {
    Sequential<> model;
    model.add(Input{Dynamic, 2});
    model.add(BatchNormalization{{.center = false, .scale = false}});
    model.add(Dense{1});
    model.set_trainable(frozen, false);
    model.compile(SGD{}, MeanSquaredError{});
    model.fit(x, y, {.epochs = 1, .batch_size = 8, .verbose = 0});
    return model.parameters().front().values[0] != 0;
  };
  CHECK(moves("dense"));
  CHECK(!moves("batch_normalization"));
}

TEST_CASE("Copies, both containers and the summary know what is frozen", "[trainable]") {
  Sequential<> model = freezable();
  model.set_trainable("dense", false);
  const Sequential<> copy = model;
  CHECK(!copy.parameters().back().trainable);
  CHECK(copy.parameters().front().trainable);
  CHECK(copy.summary().find("Non-trainable params: 4") != std::string::npos);
  Sequential fixed{Input{6, 1}, LSTM{2}, Dense{1}};
  fixed.set_trainable("lstm", false);
  const auto other = fixed;
  CHECK(!other.parameters().front().trainable);
}

TEST_CASE("pop takes the last layer away", "[trainable]") {
  const auto data = sines<float>(8);
  Sequential<> model = freezable();
  model.set_trainable("lstm", false);
  model.set_trainable("dense", false);
  const Numbers before = parameter_numbers(model);
  model.pop();
  CHECK(model.size() == 2);
  CHECK(model.output_shape({1, 6, 1}) == Shape{1, 3});
  model.add(Dense{4, Activation::relu});
  model.add(Dense{1});
  CHECK(model.is_built());
  const auto parameters = model.parameters();
  CHECK(test::equal(parameters[3].values, before.at("lstm_1.kernel")));
  CHECK(!parameters[0].trainable);
  CHECK(parameters.back().trainable);
  CHECK(parameters[6].name == "dense.kernel");
  CHECK(parameters[6].trainable);
  model.compile(Adam{}, MeanSquaredError{});
  CHECK_NOTHROW(model.fit(data.x, data.y, {.verbose = 0}));
  model.pop();
  CHECK_NOTHROW(model.predict(data.x));
  for (int i = 0; i < 3; ++i) model.pop();
  CHECK(model.size() == 0);
  CHECK(!model.is_built());
  CHECK(error_text<StateError>([&] { model.pop(); }) == "pop: the model has no layers");
  model.add(GRU{2});
  CHECK(model.predict(data.x).shape() == Shape{8, 2});
}
