#include <concepts>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

// Bad input: the whole text is matched, and the model is unchanged and still works.

namespace {

using namespace strata;
using strata::test::error_text;

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

Tensor<float> ones(const Shape& shape) {
  Tensor<float> x(shape);
  for (float& value : x.values()) value = 0.5f;
  return x;
}

Sequential<> run_time() {
  Sequential<> model;
  model.add(Input{3, 2});
  model.add(LSTM{4, return_sequences});
  model.add(LSTM{5});
  model.add(Dense{2});
  model.compile(SGD{}, MeanSquaredError{});
  return model;
}

auto written() {
  Sequential model{Input{3, 2}, LSTM{4, return_sequences}, LSTM{5}, Dense{2}};
  model.compile(SGD{}, MeanSquaredError{});
  return model;
}

/// A model, and that nothing has happened to it since.
template <class Model>
class Unchanged {
 public:
  explicit Unchanged(Model given) : model(std::move(given)), built_(model.is_built()) {
    if (built_) weights_ = model.weights();
  }

  /// The text of the error; the model is as before.
  template <class E, class F>
  std::string text(F&& f) {
    const std::string found = error_text<E>([&] { f(model); });
    REQUIRE(model.is_built() == built_);
    if (built_) REQUIRE(model.weights() == weights_);
    return found;
  }

  Model model;

 private:
  bool built_;
  std::vector<float> weights_;
};

/// f is given to both containers, with sizes that are known.
template <class E, class F>
void both(const std::string& expected, F f) {
  const auto check = [&](auto model) {
    Unchanged checked(std::move(model));
    REQUIRE(checked.template text<E>(f) == expected);
    REQUIRE(checked.model.predict(ones({1, 3, 2})).shape() == Shape{1, 2});
    checked.model.fit(ones({2, 3, 2}), ones({2, 2}), {.verbose = 0});
  };
  check(run_time());
  check(written());
}

const auto y_good = ones({4, 2});
const auto x_good = ones({4, 3, 2});

}  // namespace

TEST_CASE("Errors: data of a wrong shape", "[errors]") {
  struct Case {
    Shape shape;
    std::string text;
  };
  for (const auto& [shape, text] : {
           Case{{4, 2}, "layer 0 (LSTM, 4 units): expects sequences (B, T, F), found (4, 2)"},
           Case{{4, 3, 1}, "layer 0 (LSTM, 4 units): expects 2 features, found 1"},
           Case{{4, 5, 2}, "x: the model's Input expects (None, 3, 2), found (4, 5, 2)"},
           Case{{0, 3, 2}, "x is empty: its shape is (0, 3, 2)"},
           Case{{4, 0, 2}, "x is empty: its shape is (4, 0, 2)"},
           Case{{4, 3, 0}, "x is empty: its shape is (4, 3, 0)"},
       }) {
    const auto x = ones(shape);
    both<ShapeError>(text, [&](auto& model) { (void)model.predict(x); });
    both<ShapeError>(text, [&](auto& model) { model.fit(x, y_good, {.verbose = 0}); });
    both<ShapeError>(text, [&](auto& model) { (void)model.evaluate(x, y_good); });
    both<ShapeError>(text, [&](auto& model) { model.train_on_batch(x, y_good); });
    both<ShapeError>(text, [&](auto& model) { (void)model.test_on_batch(x, y_good); });
    both<ShapeError>(text, [&](auto& model) {
      Trainer trainer{model, SGD{}, MeanSquaredError{}};
      trainer.step(x, y_good);
    });
  }
  both<ShapeError>("x is empty: its shape is ()",
                   [](auto& model) { (void)model.predict(Tensor<float>()); });
}

TEST_CASE("Errors: targets of a wrong shape", "[errors]") {
  struct Case {
    Shape shape;
    std::string text;
  };
  for (const auto& [shape, text] :
       {Case{{3, 2}, "y: x has 4 samples, y has 3"},
        Case{{4, 1}, "y: the model's output has the shape (4, 2); found (4, 1)"},
        Case{{4, 3, 2}, "y: the model's output has the shape (4, 2); found (4, 3, 2)"},
        Case{{0, 2}, "y is empty: its shape is (0, 2)"}}) {
    const auto y = ones(shape);
    both<ShapeError>(text, [&](auto& model) { model.fit(x_good, y, {.verbose = 0}); });
    both<ShapeError>(text, [&](auto& model) { (void)model.evaluate(x_good, y); });
    both<ShapeError>(text, [&](auto& model) { model.train_on_batch(x_good, y); });
  }
}

TEST_CASE("Errors: values that are not finite are named by their place", "[errors]") {
  auto x = ones({4, 3, 2});
  x(3, 0, 1) = nan_value;
  const std::string x_text = "x(3, 0, 1) is not a number";
  both<ValueError>(x_text, [&](auto& model) { (void)model.predict(x); });
  both<ValueError>(x_text, [&](auto& model) { model.fit(x, y_good, {.verbose = 0}); });
  both<ValueError>(x_text, [&](auto& model) { (void)model.evaluate(x, y_good); });
  both<ValueError>(x_text, [&](auto& model) { model.train_on_batch(x, y_good); });
  x(1, 2, 0) = -infinite;
  both<ValueError>("x(1, 2, 0) is infinite", [&](auto& model) { (void)model.predict(x); });
  auto y = y_good;
  y(2, 1) = infinite;
  both<ValueError>("y(2, 1) is infinite",
                   [&](auto& model) { model.fit(x_good, y, {.verbose = 0}); });
  both<ValueError>("y(2, 1) is infinite", [&](auto& model) { (void)model.evaluate(x_good, y); });
}

TEST_CASE("Errors: labels that are no class", "[errors]") {
  Sequential<> start;
  start.add(Input{3, 2});
  start.add(LSTM{4});
  start.add(Dense{3, Activation::softmax});
  start.compile(SGD{}, SparseCategoricalCrossentropy{});
  Unchanged checked(std::move(start));
  const auto text = [&](float label) {
    const Tensor<float> y({4, 1}, {0, 1, label, 2});
    return checked.text<ValueError>([&](auto& model) { model.fit(x_good, y, {.verbose = 0}); });
  };
  REQUIRE(text(3) == "y(2, 0) is 3, but the classes are 0 to 2");
  REQUIRE(text(-1) == "y(2, 0) is -1, but the classes are 0 to 2");
  REQUIRE(text(0.5f) == "y(2, 0) is 0.5, but the classes are 0 to 2");
  REQUIRE(checked.text<ShapeError>([](auto& model) {
    model.fit(x_good, ones({4, 3}), {.verbose = 0});
  }) == "y: the model's output has the shape (4, 3), so class numbers have the shape (4, "
        "1); found (4, 3)");
  checked.model.fit(x_good, Tensor<float>({4, 1}, {0, 1, 2, 2}), {.verbose = 0});
}

TEST_CASE("Errors: options of fit, evaluate and predict", "[errors]") {
  const auto fit = [](const std::string& text, FitOptions<float> options) {
    options.verbose = 0;
    both<ValueError>(text, [&](auto& model) { model.fit(x_good, y_good, options); });
  };
  fit("fit: epochs must be at least 1, found 0", {.epochs = 0});
  fit("fit: epochs must be at least 1, found -2", {.epochs = -2});
  fit("fit: batch_size must be at least 1, found 0", {.batch_size = 0});
  fit("fit: validation_split must be in [0, 1), found 1", {.validation_split = 1});
  fit("fit: validation_split must be in [0, 1), found -0.5", {.validation_split = -0.5});
  fit("fit: validation_split leaves 0 of 4 samples for training", {.validation_split = 0.9});
  both<ValueError>("predict: batch_size must be at least 1",
                   [](auto& model) { (void)model.predict(x_good, {.batch_size = 0}); });
  both<ValueError>("evaluate: batch_size must be at least 1",
                   [](auto& model) { (void)model.evaluate(x_good, y_good, {.batch_size = 0}); });
}

TEST_CASE("Errors: validation data", "[errors]") {
  const auto fit = [](const Tensor<float>& x, const Tensor<float>& y) {
    return [&](auto& model) {
      model.fit(x_good, y_good, {.validation_data = {{x, y}}, .verbose = 0});
    };
  };
  both<ShapeError>("validation x is empty: its shape is (0, 3, 2)",
                   fit(ones({0, 3, 2}), ones({0, 2})));
  both<ShapeError>("layer 0 (LSTM, 4 units): expects 2 features, found 1",
                   fit(ones({2, 3, 1}), ones({2, 2})));
  both<ShapeError>("y: x has 2 samples, y has 3", fit(ones({2, 3, 2}), ones({3, 2})));
  auto x = ones({2, 3, 2});
  x(1, 1, 1) = nan_value;
  both<ValueError>("validation x(1, 1, 1) is not a number", fit(x, ones({2, 2})));
  auto y = ones({2, 2});
  y(0, 1) = nan_value;
  both<ValueError>("y(0, 1) is not a number", fit(ones({2, 3, 2}), y));
}

TEST_CASE("Errors: called too early", "[errors]") {
  const std::string sizes =
      "the model's sizes are not known yet: construct the model with Input{steps, features}, or "
      "call build or fit first";
  const std::string parameters =
      "the model's parameters are not known yet: construct the model with Input{steps, features}, "
      "or call build or fit first";
  const std::string compile = "the model is not compiled; call compile(optimizer, loss) first";
  const auto check = [&](auto model) {
    Unchanged checked(std::move(model));
    REQUIRE(checked.template text<StateError>([](auto& m) { (void)m.predict(x_good); }) == sizes);
    REQUIRE(checked.template text<StateError>([](auto& m) { (void)m.weights(); }) == parameters);
    REQUIRE(checked.template text<StateError>([](auto& m) { (void)m.parameters(); }) == parameters);
    REQUIRE(checked.template text<StateError>([](auto& m) { (void)m.parameter_count(); }) ==
            parameters);
    REQUIRE(checked.template text<StateError>(
                [](auto& m) { m.set_weights(std::vector<float>(3)); }) == parameters);
    REQUIRE(checked.template text<StateError>([](auto& m) { m.fit(x_good, y_good); }) == compile);
    REQUIRE(checked.template text<StateError>([](auto& m) { (void)m.evaluate(x_good, y_good); }) ==
            compile);
    REQUIRE(checked.template text<StateError>([](auto& m) { m.train_on_batch(x_good, y_good); }) ==
            compile);
    checked.model.compile(SGD{}, MeanSquaredError{});
    REQUIRE(checked.template text<StateError>([](auto& m) { (void)m.evaluate(x_good, y_good); }) ==
            sizes);
    // Bad data does not build the model.
    REQUIRE(checked.template text<ShapeError>([](auto& m) {
      m.fit(x_good, ones({4, 3}), {.verbose = 0});
    }) == "y: the model's output has the shape (4, 2); found (4, 3)");
    auto x = x_good;
    x.values()[0] = nan_value;
    REQUIRE(checked.template text<ValueError>([&](auto& m) { m.fit(x, y_good, {.verbose = 0}); }) ==
            "x(0, 0, 0) is not a number");
    REQUIRE(checked.template text<ShapeError>([](auto& m) {
      m.fit(ones({4, 2}), y_good, {.verbose = 0});
    }) == "layer 0 (LSTM, 4 units): expects sequences (B, T, F), found (4, 2)");
    checked.model.fit(x_good, y_good, {.verbose = 0});
    REQUIRE(checked.model.is_built());
  };
  check(Sequential{LSTM{4}, Dense{2}});
  Sequential<> model;
  model.add(LSTM{4});
  model.add(Dense{2});
  check(model);

  Sequential<> empty;
  empty.compile(SGD{}, MeanSquaredError{});
  REQUIRE(error_text<StateError>([&] { empty.fit(x_good, x_good, {.verbose = 0}); }) ==
          "the model has no layers");
}

TEST_CASE("Errors: layers that do not join", "[errors]") {
  Unchanged checked([] {
    Sequential<> model;
    model.add(Input{3, 2});
    model.add(LSTM{4});
    return model;
  }());
  REQUIRE(checked.text<ShapeError>([](auto& model) { model.add(LSTM{8}); }) ==
          "layer 1 (LSTM, 8 units): expects sequences (B, T, F), but layer 0 (LSTM) returns one "
          "output per sequence; construct it with return_sequences");
  REQUIRE(checked.text<ShapeError>([](auto& model) { model.add(Dense<float, 3, 2>()); }) ==
          "layer 1 (Dense, 2 units): expects 3 features, found 4, the outputs of layer 0 (LSTM)");
  REQUIRE(checked.text<StateError>([](auto& model) {
    model.add(Input{2, 2});
  }) == "add: Input comes first, and once");
  REQUIRE(checked.model.size() == 1);
  checked.model.add(Dense{2});
  REQUIRE(checked.model.predict(x_good).shape() == Shape{4, 2});

  SECTION("through layers that keep the rank") {
    Sequential<> model;
    model.add(LSTM{4});
    model.add(Dropout{0.1});
    model.add(Dense{3});
    REQUIRE(error_text<ShapeError>([&] { model.add(LSTM{8}); }) ==
            "layer 3 (LSTM, 8 units): expects sequences (B, T, F), but layer 0 (LSTM) returns one "
            "output per sequence; construct it with return_sequences");
    REQUIRE(model.size() == 3);
    model.build(Input{3, 2});
    REQUIRE(model.predict(x_good).shape() == Shape{4, 3});
  }
  SECTION("Input and the first layer") {
    Sequential<> model;
    model.add(Input{2});
    REQUIRE(error_text<ShapeError>([&] { model.add(LSTM{8}); }) ==
            "layer 0 (LSTM, 8 units): expects sequences (B, T, F), found (None, 2)");
    REQUIRE(error_text<StateError>([&] { model.add(Input{2}); }) ==
            "add: Input comes first, and once");
    model.add(Dense{1});
    REQUIRE(model.predict(ones({4, 2})).shape() == Shape{4, 1});
    REQUIRE(error_text<ShapeError>([] {
              (void)Sequential{Input{4}, LSTM{2}};
            }) == "layer 0 (LSTM, 2 units): expects sequences (B, T, F), found (None, 4)");
    REQUIRE(error_text<ShapeError>([] {
              (void)Sequential{Input{3, 4}, LSTM<float, 2, 2>()};
            }) == "layer 0 (LSTM, 2 units): expects 2 features, found 4");
  }
  SECTION("build with other features") {
    both<ShapeError>("layer 0 (LSTM, 4 units): expects 2 features, found 7", [](auto& model) {
      model.build(Input{3, 7});
    });
    both<ShapeError>("layer 0 (LSTM, 4 units): expects sequences (B, T, F), found (None, 2)",
                     [](auto& model) { model.build(Input{2}); });
  }
}

TEST_CASE("Errors: weights of another number", "[errors]") {
  both<ShapeError>("set_weights: the model has 324 parameters, found 3 numbers",
                   [](auto& model) { model.set_weights(std::vector<float>(3)); });
}

TEST_CASE("Errors: options of layers", "[errors]") {
  REQUIRE(error_text<ValueError>([] { (void)LSTM{0}; }) ==
          "LSTM: units must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] {
            (void)LSTM{-3, return_sequences};
          }) == "LSTM: units must be at least 1, found -3");
  REQUIRE(error_text<ValueError>([] {
            (void)LSTM{4, {.activation = Activation::softmax}};
          }) == "LSTM: softmax cannot be the activation of a gate");
  REQUIRE(error_text<ValueError>([] {
            (void)LSTM{4, {.recurrent_activation = Activation::softmax}};
          }) == "LSTM: softmax cannot be the activation of a gate");
  REQUIRE(error_text<ValueError>([] {
            (void)LSTM{4, {.dropout = 1}};
          }) == "LSTM: dropout must be in [0, 1), found 1");
  REQUIRE(error_text<ValueError>([] {
            (void)LSTM{4, {.recurrent_dropout = -0.1}};
          }) == "LSTM: recurrent_dropout must be in [0, 1), found -0.1");
  REQUIRE(error_text<ValueError>([] { (void)Dense{0}; }) ==
          "Dense: units must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] { (void)Dropout{1.5}; }) ==
          "Dropout: the rate must be in [0, 1), found 1.5");
  REQUIRE(error_text<ValueError>([] { (void)Dropout{std::numeric_limits<double>::quiet_NaN()}; }) ==
          "Dropout: the rate must be in [0, 1), found nan");
  REQUIRE(error_text<ValueError>([] { (void)Input{0}; }) ==
          "Input: features must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] {
            (void)Input{3, -1};
          }) == "Input: features must be at least 1, found -1");
  REQUIRE(error_text<ValueError>([] {
            (void)Input{0, 3};
          }) == "Input: steps must be at least 1, or Dynamic, found 0");
}

TEST_CASE("Errors: sizes that no memory can hold", "[errors]") {
  const Index huge = Index{1} << 62;
  const std::string most = " must be at most " +
                           std::to_string(std::numeric_limits<Index>::max() / 128) + ", found " +
                           std::to_string(huge);
  const auto refused = [&](const std::string& what, auto make) {
    CHECK(error_text<ValueError>([&] { (void)make(); }) == what + most);
  };
  refused("LSTM: units", [&] { return LSTM{huge}; });
  refused("ResetBeforeGRU: units", [&] { return ResetBeforeGRU{huge}; });
  refused("LayerNormLSTM: units", [&] { return LayerNormLSTM{huge}; });
  refused("DeepTransitionRNN: units", [&] {
    return DeepTransitionRNN{3, {.transitions = {huge}}};
  });
  refused("Dense: units", [&] { return Dense{huge}; });
  refused("AttentionPooling: units", [&] { return AttentionPooling{huge}; });
  refused("Embedding: vocabulary", [&] { return Embedding{huge, 2}; });
  refused("Embedding: units", [&] { return Embedding{2, huge}; });
  refused("RepeatVector: n", [&] { return RepeatVector{huge}; });
  refused("Reshape: steps", [&] { return Reshape{huge, 2}; });
  refused("Input: steps", [&] { return Input{huge, 2}; });
  refused("zero_state: the number of sequences", [&] { return run_time().zero_state(huge); });
  CHECK_THROWS_AS((Input{Index{1} << 40, Index{1} << 40}), ShapeError);
  CHECK_THROWS_AS((Reshape{Index{1} << 40, Index{1} << 40}), ShapeError);
  CHECK_THROWS_AS((LSTMCell<float>(huge, huge)), ShapeError);
  Sequential<> model = run_time();
  StreamBatch streams{model};
  CHECK_THROWS_AS(streams.reserve(huge), ValueError);
  CHECK_THROWS_AS(streams.reserve(-1), ValueError);
  (void)streams.join();
  streams.step();
  CHECK_THROWS_AS(pad_sequences(std::vector<std::vector<float>>{{1}, {2}}, {.maxlen = huge}),
                  ShapeError);
}

TEST_CASE("Errors: a build that throws leaves the model as it was", "[errors]") {
  // 2^33 times 2^31 weights.
  const Index units = Index{1} << 31;
  Sequential model{LSTM{4, return_sequences}, LSTM{units}};
  CHECK(error_text<ShapeError>([&] {
          model.build(Input{3, 2});
        }) ==
        "layer 1 (LSTM, 2147483648 units): the shape (4, 2147483648, 2147483648) has more elements "
        "than memory has addresses");
  CHECK_FALSE(model.is_built());
  CHECK(!model.input());
  CHECK(model.layer<0>().inputs() == Dynamic);
  CHECK(model.layer<1>().inputs() == Dynamic);
  Sequential<> chosen = run_time();
  const auto before = chosen.weights();
  CHECK_THROWS_AS(chosen.add(Dense{Index{1} << 56}), Error);
  CHECK(chosen.size() == 3);
  CHECK(chosen.weights() == before);
}

TEST_CASE("Errors: a batch size above the number of samples is all of them", "[errors]") {
  const Index all = std::numeric_limits<Index>::max();
  Sequential<> model = run_time();
  model.compile(Adam{}, MeanSquaredError{});
  Sequential<> same = model;
  const auto x = ones({4, 3, 2});
  const auto y = ones({4, 2});
  const auto losses = model.fit(x, y, {.epochs = 2, .batch_size = all, .verbose = 0})["loss"];
  CHECK(losses == same.fit(x, y, {.epochs = 2, .batch_size = 4, .verbose = 0})["loss"]);
  CHECK(model.weights() == same.weights());
  CHECK(model.evaluate(x, y, {.batch_size = all}).loss == same.evaluate(x, y).loss);
  CHECK(model.predict(x, {.batch_size = all}).batch() == 4);
  model.fit(x, y, {.batch_size = all, .shuffle = false, .stateful = true, .verbose = 0});
}

/// How many of the functions that point into an object compile on it.
template <class T>
constexpr int references = requires(T t) {
  static_cast<T&&>(t).layers();
}
+ requires(T t) {
  static_cast<T&&>(t).layer(0);
}
+ requires(T t) {
  static_cast<T&&>(t).template layer<0>();
}
+ requires(T t) {
  static_cast<T&&>(t).network();
}
+ requires(T t) {
  static_cast<T&&>(t).parameters();
}
+ requires(T t) {
  static_cast<T&&>(t).find("loss");
}
+ requires(T t) {
  static_cast<T&&>(t).begin();
}
+ requires(T t) {
  static_cast<T&&>(t).rows(0);
};
static_assert(references<Sequential<float>&> == 4);
static_assert(references<const Sequential<float>&> == 4);
static_assert(references<Sequential<float>> == 0);
static_assert(references<const Sequential<float>> == 0);
static_assert(references<Sequential<Dense<>>&> == 4);
static_assert(references<Sequential<Dense<>>> == 0);
static_assert(references<Logs&> == 2);
static_assert(references<Logs> == 0);
static_assert(references<State<float>&> == 1);
static_assert(references<State<float>> == 0);
static_assert(std::same_as<decltype(History()["loss"]), std::vector<double>>);
static_assert(std::same_as<decltype(History().names()), std::vector<std::string>>);
static_assert(
    std::same_as<decltype(std::declval<Stream<Sequential<float>>>().state()), State<float>>);
static_assert(std::is_constructible_v<Trainer<Sequential<float>>, Sequential<float>&, Adam,
                                      MeanSquaredError>);
static_assert(!std::is_constructible_v<Trainer<Sequential<float>>, Sequential<float>, Adam,
                                       MeanSquaredError>);

TEST_CASE("Errors: options of optimizers", "[errors]") {
  const auto text = [](auto rule) {
    return error_text<ValueError>([&] { (void)Optimizer<float>(rule); });
  };
  REQUIRE(text(Adam{.learning_rate = -1}) ==
          "the learning rate must be at least 0 and finite, found -1");
  REQUIRE(text(SGD{.learning_rate = std::numeric_limits<double>::infinity()}) ==
          "the learning rate must be at least 0 and finite, found inf");
  REQUIRE(text(SGD{.clip = {.value = 1, .norm = 1}}) ==
          "SGD: at most one limit of clip can be set");
  REQUIRE(
      text(RMSprop{.clip = {.global_norm = -1}}) ==
      "RMSprop: .clip.global_norm must be at least 0 and finite, where 0 means no limit, found -1");
  Optimizer<float> optimizer = Adam{};
  REQUIRE(error_text<ValueError>([&] { optimizer.set_learning_rate(nan_value); }) ==
          "the learning rate must be at least 0 and finite, found nan");
  REQUIRE(optimizer.learning_rate() == 0.001);
}
