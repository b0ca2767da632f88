#include <cmath>
#include <concepts>
#include <iostream>
#include <sstream>
#include <type_traits>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/series.hpp"

// What user code can rely on, word for word: README and documentation show these snippets.

using namespace strata;

namespace {

/// std::cout for as long as it lives.
class Captured {
 public:
  Captured() : kept_(std::cout.rdbuf(text_.rdbuf())) {}
  ~Captured() { std::cout.rdbuf(kept_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* kept_;
};

}  // namespace

TEST_CASE("Contract: chosen while writing", "[contract]") {
  const auto [x, y] = strata::test::sines<float>(20);
  const auto [x_test, y_test] = strata::test::sines<float>(5, 6, 2);

  Sequential model{LSTM{50, return_sequences}, LSTM{50}, Dense{1}};

  model.compile(Adam{.learning_rate = 1e-3}, MeanSquaredError{});
  History history =
      model.fit(x, y, {.epochs = 2, .batch_size = 32, .validation_split = 0.2, .verbose = 0});
  Tensor<float> forecast = model.predict(x_test);  // (B, 1)
  double error = model.evaluate(x_test, y_test).loss;
  const Captured out;
  std::cout << model.summary();

  REQUIRE(history["val_loss"].size() == 2);
  REQUIRE(forecast.shape() == Shape{5, 1});
  REQUIRE(error > 0);
  REQUIRE(out.text().find("lstm_1 (LSTM)") != std::string::npos);
  static_assert(
      std::is_same_v<decltype(model),
                     Sequential<LSTM<float, Dynamic, Dynamic, true>, LSTM<float>, Dense<float>>>);
}

TEST_CASE("Contract: chosen while running", "[contract]") {
  const auto [x, y] = strata::test::sines<float>(8, 3);

  Sequential<> deep;
  deep.add(Input{3, 1});
  for (int i = 0; i < 3; ++i) deep.add(LSTM{32, return_sequences});
  deep.add(LSTM{32});
  deep.add(Dense{1});

  deep.compile(Adam{.learning_rate = 1e-3}, MeanSquaredError{});
  History history =
      deep.fit(x, y, {.epochs = 1, .batch_size = 32, .validation_split = 0.2, .verbose = 0});
  Tensor<float> forecast = deep.predict(x);
  double error = deep.evaluate(x, y).loss;
  REQUIRE(deep.size() == 5);
  REQUIRE(history.epochs() == 1);
  REQUIRE(forecast.shape() == Shape{8, 1});
  REQUIRE(error > 0);
}

TEST_CASE("Contract: Sequential<double> of double", "[contract]") {
  const auto [x, y] = strata::test::sines<double>(8, 3);
  Sequential<double> deep;
  deep.add(Input{3, 1});
  deep.add(LSTM{8, return_sequences});
  deep.add(LSTM{8});
  deep.add(Dense{1});
  deep.compile(Adam{.learning_rate = 1e-3}, MeanSquaredError{});
  deep.fit(x, y, {.verbose = 0});
  Tensor<double> forecast = deep.predict(x);
  REQUIRE(forecast.shape() == Shape{8, 1});
  Stream stream{deep};
  static_assert(std::is_same_v<decltype(stream(1.0)), double>);

  Sequential<LSTM<double, 1, 4>, Dense<double, 4, 1>> fixed;
  fixed.compile(SGD{}, Huber{});
  fixed.fit(x, y, {.verbose = 0});
  REQUIRE(fixed.predict(x).shape() == Shape{8, 1});
}

TEST_CASE("Contract: one value for the whole sequence, then one value per step", "[contract]") {
  Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
  Sequential one{Input{3, 1}, LSTM{1}};                     // predict -> shape (1, 1)
  Sequential each{Input{3, 1}, LSTM{1, return_sequences}};  // predict -> shape (1, 3, 1)
  REQUIRE(one.predict(data).shape() == Shape{1, 1});
  REQUIRE(each.predict(data).shape() == Shape{1, 3, 1});
  REQUIRE(each.predict(data)(0, 2, 0) == one.predict(data)(0, 0));
  REQUIRE(each.predict(data)(0, 0, 0) != each.predict(data)(0, 2, 0));
}

TEST_CASE("Contract: a tensor", "[contract]") {
  auto shape = Shape{2, 3};
  auto values = std::vector<float>{1, 2, 3, 4, 5, 6};
  auto zeros = Tensor<float>(shape);
  auto x = Tensor<float>(shape, values);
  REQUIRE(zeros(1, 2) == 0);
  REQUIRE(x.rank() == 2);
  REQUIRE(x.shape() == shape);
  REQUIRE(x.size() == 6);
  REQUIRE(x.data()[4] == 5);
  REQUIRE(x(1, 1) == 5);
  REQUIRE(x.matrix()(1, 1) == 5);
  auto cube = Tensor<float>({1, 3, 2}, values);
  REQUIRE(cube(0, 2, 1) == 6);
  REQUIRE(cube.sequence(0)(2, 1) == 6);
  REQUIRE(cube.step(2)(0, 1) == 6);
  const Captured out;
  std::cout << x;
  REQUIRE(out.text() == "[[1. 2. 3.]\n [4. 5. 6.]]");
}

TEST_CASE("Contract: options by name", "[contract]") {
  const auto layer =
      LSTM{64, return_sequences, {.dropout = 0.2, .recurrent_dropout = 0.1, .go_backwards = false}};
  REQUIRE(layer.options().dropout == 0.2);
  REQUIRE(layer.options().recurrent_dropout == 0.1);
  REQUIRE(layer.units() == 64);
  static_assert(decltype(layer)::returns == Returns::sequence);
  static_assert(decltype(LSTM{64})::returns == Returns::last);
  static_assert(decltype(LSTM{64, {.dropout = 0.2}})::returns == Returns::last);
  static_assert(LSTM<float, 1, 40, return_sequences>::returns == Returns::sequence);
  static_assert(LSTM<float, 1, 40>::returns == Returns::last);
}

TEST_CASE("Contract: sizes fixed while compiling", "[contract]") {
  using LargeAmp = Sequential<LSTM<float, 1, 40, return_sequences>,
                              LSTM<float, 40, 40, return_sequences>, Dense<float, 40, 1>>;
  LargeAmp amp;
  amp.initialize(3);
  std::vector<float> block(50);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<float>(i % 7) * 0.1f;
  const std::vector<float> before = block;

  Stream stream{amp};
  for (float& sample : block) sample = stream(sample);
  auto rest = stream.state();
  stream.reset();
  stream.set_state(rest);

  REQUIRE(stream.state() == rest);
  const auto expected = amp.predict(Tensor<float>({1, 50, 1}, before));
  for (Index t = 0; t < 50; ++t) {
    REQUIRE(std::abs(block[static_cast<std::size_t>(t)] - expected(0, t, 0)) < 1e-6f);
  }
  static_assert(noexcept(stream(0.0f)));
  static_assert(std::is_same_v<decltype(stream), Stream<LargeAmp>>);
  // The numbers are in the object, and little else.
  constexpr std::size_t numbers = 4 * 40 * (1 + 40 + 1) + 4 * 40 * (40 + 40 + 1) + 41;
  static_assert(sizeof(LargeAmp) >= numbers * sizeof(float));
  static_assert(sizeof(LargeAmp) < numbers * sizeof(float) + 2000);
  static_assert(std::copyable<LargeAmp> && std::default_initializable<LargeAmp>);
}

TEST_CASE("Contract: the cell alone", "[contract]") {
  LSTMCell<float, 3, 8> cell;
  Eigen::Vector3f x_t(1, 2, 3);
  auto state = LSTMState<float, 8>::zero();
  cell.bias().setOnes();
  auto next = cell.step(x_t, state);

  // With weights of zero, all gates are those of a bias of 1.
  const float sigma = 1 / (1 + std::exp(-1.0f));
  const float c = sigma * std::tanh(1.0f);
  for (Index unit = 0; unit < 8; ++unit) {
    REQUIRE(std::abs(next.c[unit] - c) < 1e-6f);
    REQUIRE(std::abs(next.h[unit] - sigma * std::tanh(c)) < 1e-6f);
  }
  REQUIRE(state.h.isZero(0));
}
