#include <algorithm>
#include <vector>

#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/model/sequential.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/growth.hpp"
#include "support/ranges.hpp"
#include "support/values_of.hpp"

// Both containers: how they get their sizes and weights, and what they say about them.

namespace {

using namespace strata;
using strata::test::error_text;

template <class Scalar>
Tensor<Scalar> input(const Shape& shape) {
  Tensor<Scalar> x(shape);
  Random random(11);
  for (Scalar& value : x.values()) value = static_cast<Scalar>(2 * random.uniform() - 1);
  return x;
}

Sequential<> small() {
  Sequential<> model;
  model.add(Input{5, 2});
  model.add(LSTM{3, return_sequences});
  model.add(LSTM{4});
  model.add(Dense{2});
  return model;
}

using Fixed =
    Sequential<LSTM<float, 2, 3, return_sequences>, LSTM<float, 3, 4>, Dense<float, 4, 2>>;

template <class Model>
std::vector<std::string> names(const Model& model) {
  std::vector<std::string> list;
  for (const auto& parameter : model.parameters()) {
    list.push_back(parameter.name + " " + to_string(parameter.shape));
  }
  return list;
}

}  // namespace

TEST_CASE("Sequential: sizes come from Input, from build, or from the types", "[containers]") {
  REQUIRE(small().is_built());
  REQUIRE(Fixed().is_built());
  REQUIRE(Sequential{Input{5, 2}, LSTM{3}}.is_built());
  REQUIRE(Sequential{LSTM<float, 2, 3>(), Dense{1}}.is_built());

  Sequential later{LSTM{3, return_sequences}, LSTM{4}, Dense{2}};
  REQUIRE_FALSE(later.is_built());
  REQUIRE_FALSE(later.input().has_value());
  later.build(Input{5, 2});
  REQUIRE(later.is_built());
  REQUIRE(later.input()->shape() == Shape{Dynamic, 5, 2});
  REQUIRE(later.weights() == small().weights());
  REQUIRE(later.size() == 3);

  Sequential<> run_time;
  run_time.add(LSTM{3, return_sequences});
  run_time.add(LSTM{4});
  run_time.add(Dense{2});
  REQUIRE_FALSE(run_time.is_built());
  run_time.build(Input{5, 2});
  REQUIRE(run_time.weights() == small().weights());
}

TEST_CASE("Sequential: steps that are left open take any number", "[containers]") {
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(LSTM{3});
  REQUIRE(model.predict(input<float>({1, 4, 2})).shape() == Shape{1, 3});
  REQUIRE(model.predict(input<float>({2, 9, 2})).shape() == Shape{2, 3});
  REQUIRE_THROWS_AS(small().predict(input<float>({1, 4, 2})), ShapeError);
}

TEST_CASE("Sequential: names, shapes and numbers of parameters are Keras'", "[containers]") {
  const std::vector<std::string> expected{"lstm.kernel (2, 12)",
                                          "lstm.recurrent_kernel (3, 12)",
                                          "lstm.bias (12,)",
                                          "lstm_1.kernel (3, 16)",
                                          "lstm_1.recurrent_kernel (4, 16)",
                                          "lstm_1.bias (16,)",
                                          "dense.kernel (4, 2)",
                                          "dense.bias (2,)"};
  REQUIRE(names(small()) == expected);
  REQUIRE(names(Fixed()) == expected);
  REQUIRE(small().parameter_count() == 24 + 36 + 12 + 48 + 64 + 16 + 8 + 2);
  REQUIRE(Fixed().parameter_count() == 210);
  REQUIRE(Fixed().weights().size() == 210);

  Sequential<> bare;
  bare.add(Input{5, 2});
  bare.add(LSTM{3, {.use_bias = false}});
  bare.add(Dropout{0.5});
  bare.add(Dense{2, DenseOptions{.use_bias = false}});
  REQUIRE(names(bare) == std::vector<std::string>{"lstm.kernel (2, 12)",
                                                  "lstm.recurrent_kernel (3, 12)",
                                                  "dense.kernel (3, 2)"});
}

TEST_CASE("Sequential: parameters are the weights, in Keras' memory order", "[containers]") {
  auto model = small();
  auto parameters = model.parameters();
  REQUIRE(parameters[0].values.size() == 24);
  // Row 1, input 1, of (F, 4U) is column 1 of the cell's 4U x F.
  parameters[0].values[12 + 5] = 77;
  REQUIRE(model.layer(0).as<LSTM<float, Dynamic, Dynamic, true>>()->cell().kernel()(5, 1) == 77);
  parameters[6].values[1 * 2 + 1] = 55;
  REQUIRE(model.layer(2).as<Dense<float>>()->kernel()(1, 1) == 55);

  std::vector<float> all = model.weights();
  REQUIRE(all[17] == 77);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(i);
  model.set_weights(all);
  REQUIRE(model.weights() == all);
  REQUIRE(parameters[1].values[0] == 24);
  const auto& constant = model;
  static_assert(std::is_same_v<decltype(constant.parameters()[0].values), std::span<const float>>);
}

TEST_CASE("Sequential: the seed decides the weights", "[containers]") {
  auto a = small();
  auto b = small();
  REQUIRE(a.weights() == b.weights());
  a.initialize(1);
  REQUIRE(a.weights() != b.weights());
  b.initialize(1);
  REQUIRE(a.weights() == b.weights());
  b.initialize(0);
  REQUIRE(b.weights() == small().weights());

  SECTION("before the sizes are known it is remembered") {
    Sequential<> later;
    later.initialize(1);
    later.add(LSTM{3, return_sequences});
    later.add(LSTM{4});
    later.add(Dense{2});
    later.build(Input{5, 2});
    REQUIRE(later.weights() == a.weights());
    Sequential written{LSTM{3, return_sequences}, LSTM{4}, Dense{2}};
    written.initialize(1);
    written.build(Input{5, 2});
    REQUIRE(written.weights() == a.weights());
  }
  SECTION("sizes fixed by the type") {
    Fixed fixed;
    fixed.initialize(1);
    REQUIRE(fixed.weights() == a.weights());
  }
  SECTION("layers of the same sizes differ") {
    Sequential<> twins;
    twins.add(Input{Dynamic, 4});
    twins.add(LSTM{4, return_sequences});
    twins.add(LSTM{4});
    const auto parameters = twins.parameters();
    REQUIRE_FALSE(test::equal(parameters[0].values, parameters[3].values));
    REQUIRE_FALSE(test::equal(parameters[0].values, parameters[1].values));
  }
}

TEST_CASE("Sequential: build keeps weights that the user gave", "[containers]") {
  LSTM<float, 2, 3> mine;
  mine.cell().kernel().setConstant(0.5f);
  const auto check = [](auto& model) {
    const auto parameters = model.parameters();
    for (const float value : parameters[0].values) REQUIRE(value == 0.5f);
    for (const float value : parameters[1].values) REQUIRE(value == 0);
    for (const float value : parameters[2].values) REQUIRE(value == 0);
    // The Dense layer had none, all zeros, and is drawn.
    REQUIRE(test::any_of(parameters[3].values, [](float value) { return value != 0; }));
  };
  Sequential written{mine, Dense{1}};
  check(written);
  Sequential<> run_time;
  run_time.add(mine);
  run_time.add(Dense{1});
  check(run_time);
  const auto before = run_time.weights();
  run_time.build(Input{7, 2});
  REQUIRE(run_time.weights() == before);
}

TEST_CASE("Sequential: a layer that is added later leaves the others alone", "[containers]") {
  auto model = small();
  auto weights = model.weights();
  for (float& weight : weights) weight *= 2;
  model.set_weights(weights);
  model.add(Dense{3});
  REQUIRE(model.is_built());
  const auto grown = model.weights();
  REQUIRE(grown.size() == 210 + 9);
  REQUIRE(std::equal(weights.begin(), weights.end(), grown.begin()));
  REQUIRE(model.predict(input<float>({1, 5, 2})).shape() == Shape{1, 3});
}

TEST_CASE("Sequential: adding a layer does not go through those before", "[containers]") {
  CHECK(test::growth(500, [](int count) {
          Sequential<> model;
          model.add(Input{Dynamic, 3});
          for (int i = 0; i < count; ++i) model.add(Dropout{0.1});
          CHECK(model.output_shape({1, 2, 3}) == Shape{1, 2, 3});
        }) < test::linear_growth);
  // A layer joins the layers as they are now, whatever they were when they were added.
  Sequential<> model;
  model.add(LSTM{4, return_sequences});
  model.add(LSTM{5, return_sequences});
  model.build(Input{Dynamic, 3});
  model.add(Dense{2});
  CHECK(model.layer(2).inputs() == 5);
  model.layer(2) = AnyLayer<float>(Dense<float>(7));
  model.build(Input{Dynamic, 3});
  model.add(Dense{1});
  CHECK(model.layer(3).inputs() == 7);
  model.add(LSTM{2});
  CHECK(error_text<ShapeError>([&] { model.add(LSTM{2}); }) ==
        test::Contains{"expects sequences (B, T, F), but layer 4 (LSTM) returns one output"});
  CHECK(model.size() == 5);
}

TEST_CASE("Sequential: both containers compute the same bits", "[containers][own_code]") {
  const Fixed fixed;
  const Sequential chosen{Input{5, 2}, LSTM{3, return_sequences}, LSTM{4}, Dense{2}};
  auto run_time = small();
  REQUIRE(chosen.weights() == fixed.weights());
  const auto x = input<float>({7, 5, 2});
  const auto y = run_time.predict(x);
  REQUIRE(y.shape() == Shape{7, 2});
  REQUIRE(test::equal(test::values_of(fixed.predict(x)), y.values()));
  REQUIRE(test::equal(test::values_of(chosen.predict(x)), y.values()));
}

TEST_CASE("Sequential: layers with weights go from one container to the other",
          "[containers][own_code]") {
  Fixed fixed;
  fixed.initialize(3);
  Sequential<> run_time;
  run_time.add(fixed.layer<0>());
  run_time.add(fixed.layer<1>());
  run_time.add(fixed.layer<2>());
  REQUIRE(run_time.is_built());
  REQUIRE(run_time.weights() == fixed.weights());
  const auto x = input<float>({2, 5, 2});
  REQUIRE(test::equal(test::values_of(run_time.predict(x)), test::values_of(fixed.predict(x))));

  SECTION("float to double is exact, and back") {
    Sequential<double> wide;
    wide.add(fixed.layer<0>());
    wide.add(Dropout{0.5});
    wide.add(fixed.layer<1>());
    wide.add(fixed.layer<2>());
    const auto weights = wide.weights();
    REQUIRE(test::equal(weights, fixed.weights()));
    const auto y = wide.predict(input<double>({2, 5, 2}));
    for (Index i = 0; i < y.size(); ++i) {
      REQUIRE(std::abs(y.values()[static_cast<std::size_t>(i)] -
                       test::values_of(run_time.predict(x))[static_cast<std::size_t>(i)]) < 1e-6);
    }
    Sequential<float> narrow;
    narrow.add(*wide.layer(0).as<LSTM<double, Dynamic, Dynamic, true>>());
    narrow.add(*wide.layer(2).as<LSTM<double>>());
    narrow.add(*wide.layer(3).as<Dense<double>>());
    REQUIRE(narrow.weights() == fixed.weights());
  }
  SECTION("options come along") {
    Sequential<double> model;
    model.add(LSTM<float, 2, 3>({.activation = Activation::relu, .dropout = 0.25}));
    const auto& options = model.layer(0).as<LSTM<double>>()->options();
    REQUIRE(options.activation == Activation::relu);
    REQUIRE(options.dropout == 0.25);
    model.add(Dense{2, Activation::softmax});
    REQUIRE(model.layer(1).as<Dense<double>>()->options().activation == Activation::softmax);
    model.add(Dropout{0.125});
    REQUIRE(model.layer(2).as<Dropout<double>>()->rate() == 0.125);
  }
}

TEST_CASE("Sequential: layers are reached by place and type", "[containers]") {
  Fixed fixed;
  REQUIRE(fixed.layer<1>().units() == 4);
  fixed.layer<2>().bias().setConstant(9);
  REQUIRE(fixed.weights().back() == 9);

  auto model = small();
  REQUIRE(model.layer(1).kind() == "LSTM");
  REQUIRE(model.layer(1).as<Dense<float>>() == nullptr);
  REQUIRE(model.layer(1).as<LSTM<float>>()->units() == 4);
  model.layer(2).as<Dense<float>>()->bias().setConstant(8);
  REQUIRE(model.weights().back() == 8);
  REQUIRE(std::as_const(model).layer(2).as<Dense<float>>()->bias()[0] == 8);
  REQUIRE(error_text<ValueError>([&] { (void)model.layer(3); }) ==
          "layer 3 of a model of 3 layers");
}

TEST_CASE("Sequential: copies are plain copies", "[containers]") {
  const auto x = input<float>({2, 5, 2});
  SECTION("run time") {
    auto model = small();
    const auto before = model.weights();
    auto copy = model;
    copy.initialize(5);
    REQUIRE(model.weights() == before);
    REQUIRE(copy.weights() != before);
    copy = model;
    REQUIRE(copy.weights() == before);
    REQUIRE(test::equal(test::values_of(copy.predict(x)), test::values_of(model.predict(x))));
    const auto moved = std::move(copy);
    REQUIRE(moved.weights() == before);
  }
  SECTION("sizes fixed by the type: a plain object, by value, in any container") {
    Fixed model;
    std::vector<Fixed> models(3, model);
    models[1].initialize(5);
    REQUIRE(models[0].weights() == models[2].weights());
    REQUIRE(models[0].weights() != models[1].weights());
    const auto pass = [](Fixed by_value) {
      by_value.initialize(6);
      return by_value;
    };
    REQUIRE(pass(model).weights() != model.weights());
    REQUIRE(model.weights() == Fixed().weights());
    // The numbers lie in the object itself.
    const auto* const first = reinterpret_cast<const std::byte*>(&model);
    for (const auto& parameter : std::as_const(model).parameters()) {
      const auto* const values = reinterpret_cast<const std::byte*>(parameter.values.data());
      REQUIRE((values >= first && values < first + sizeof model));
    }
  }
}
