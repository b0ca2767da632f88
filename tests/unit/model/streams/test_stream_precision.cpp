#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/one_layer.hpp"

// Streams with 16-bit weights: how far they are from the full precision, and which layers have
// them.

namespace {

using namespace strata;
using strata::test::error_text;

/// The error of a stream in int16 against one in full precision over normal inputs, as the root of
/// the mean square, in decibels of the outputs'.
template <class Model>
double decibels(const Model& model, int steps = 300) {
  Stream full{model};
  Stream reduced{model, Precision::int16};
  Random random(5);
  std::vector<float> x(static_cast<std::size_t>(full.inputs()));
  double error = 0, size = 0;
  for (int t = 0; t < steps; ++t) {
    for (float& value : x) value = static_cast<float>(random.normal());
    const float* const expected = full.step(x.data());
    const float* const found = reduced.step(x.data());
    for (Index i = 0; i < full.outputs(); ++i) {
      error += std::pow(double(found[i]) - double(expected[i]), 2);
      size += std::pow(double(expected[i]), 2);
    }
  }
  return 10 * std::log10(error / size);
}

Sequential<float> stack_of_two(Index units) {
  Sequential<float> model;
  model.add(Input{Dynamic, 3});
  model.add(LSTM{units, return_sequences});
  model.add(Dropout{0.5f});
  model.add(LSTM{units, return_sequences});
  model.add(Dense{2});
  model.initialize(1);
  return model;
}

}  // namespace

TEST_CASE("int16: each layer that can is close to the full precision", "[stream][int16]") {
  int reduced = 0;
  for (const auto& layer : test::layer_cases<float>()) {
    if (!layer.streams || layer.layer.accepts() == Accepts::ids) continue;
    INFO(layer.name);
    const test::OneLayer<float> model(layer);
    const bool can =
        execution(layer.layer, {.precision = Precision::int16}).precision != Precision::full;
    if (!can) {
      CHECK_THROWS_AS((Stream{model, Precision::int16}), ValueError);
      continue;
    }
    ++reduced;
    // Weights and outputs are rounded to some 14 bits, 84 dB; a recurrence may amplify that, and
    // weights of one unit differ in size.
    CHECK(decibels(model) < -50);
  }
  // LSTM, GRU, SimpleRNN, CoupledLSTM and ExtendedLSTM at least.
  CHECK(reduced >= 5);
}

TEST_CASE("int16: a step is as close as the roundings say", "[stream][int16]") {
  // The derivative of tanh is at most 1, so that an output is no farther off than the sum.
  for (const Index units : {1, 2, 3, 7, 16, 33, 64, 130}) {
    INFO(units);
    Sequential<float> model;
    model.add(Input{Dynamic, 2});
    model.add(SimpleRNN{units, return_sequences});
    model.initialize(static_cast<std::uint64_t>(units));
    const auto recurrent = model.parameters()[1].values;
    Stream full{model};
    Stream reduced{model, Precision::int16};
    State<float> state = full.state();
    Random random(3);
    for (int round = 0; round < 20; ++round) {
      for (float& h : state.layers[0]) h = static_cast<float>(2 * random.uniform() - 1);
      const std::vector<float> x{static_cast<float>(random.normal()), 0.5f};
      full.set_state(state);
      reduced.set_state(state);
      const auto y = full.step(x);
      const auto found = reduced.step(x);
      for (Index unit = 0; unit < units; ++unit) {
        double largest = 0, weights = 0, outputs = 0;
        for (Index row = 0; row < units; ++row) {
          const double w =
              std::abs(double(recurrent[static_cast<std::size_t>(row * units + unit)]));
          largest = std::max(largest, w);
          weights += w;
          outputs += std::abs(double(state.layers[0][static_cast<std::size_t>(row)]));
        }
        const double scale = std::max(largest / 32767, weights * 16383 / 2147483647.0);
        // Half a unit of each output, half a unit of each weight, their product, and float's sums.
        const double bound = weights * 0.5 / 16383 + 0.505 * scale * outputs +
                             0.25 * scale / 16383 * double(units) + 3e-6;
        const auto at = static_cast<std::size_t>(unit);
        REQUIRE(std::abs(double(found[at]) - double(y[at])) <= bound);
      }
    }
  }
}

TEST_CASE("int16: the largest sums do not overflow", "[stream][int16]") {
  for (const float weight : {1.0f, -1.0f, 1e-3f, 100.0f}) {
    for (const Index units : {5, 64, 300}) {
      INFO(weight << ", " << units);
      Sequential<float> model;
      model.add(Input{Dynamic, 1});
      model.add(SimpleRNN{units, return_sequences});
      auto weights = model.weights();
      std::fill(weights.begin(), weights.end(), weight);
      model.set_weights(weights);
      Stream full{model};
      Stream reduced{model, Precision::int16};
      State<float> state = full.state();
      for (const float h : {1.0f, -1.0f}) {
        std::fill(state.layers[0].begin(), state.layers[0].end(), h);
        full.set_state(state);
        reduced.set_state(state);
        const float x = 0;
        const auto y = full.step(std::span<const float>(&x, 1));
        const auto found = reduced.step(std::span<const float>(&x, 1));
        for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(std::abs(found[i] - y[i]) < 1e-3f);
      }
    }
  }
}

TEST_CASE("int16: numbers that are not finite stay to be seen", "[stream][int16]") {
  const auto model = stack_of_two(12);
  for (const float unusual :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Stream stream{model, Precision::int16};
    State<float> state = stream.state();
    state.layers[2][5] = unusual;
    stream.set_state(state);
    const std::vector<float> x(3, 0.5f);
    for (int t = 0; t < 3; ++t) {
      const auto y = stream.step(x);
      CHECK(std::isnan(y[0]));
    }
  }
}

TEST_CASE("int16: weights that are not finite make outputs that are not", "[stream][int16]") {
  auto model = stack_of_two(12);
  auto weights = model.weights();
  for (const float unusual :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    // Of the recurrent kernel of the first layer.
    weights[3 * 48 + 7] = unusual;
    model.set_weights(weights, allow_non_finite);
    Stream stream{model, Precision::int16};
    const std::vector<float> x(3, 0.5f);
    for (int t = 0; t < 3; ++t) (void)stream.step(x);
    CHECK(std::isnan(stream.step(x)[0]));
  }
}

TEST_CASE("int16: a stream says which layers have it", "[stream][int16]") {
  const auto model = stack_of_two(20);
  const Stream stream{model, Precision::int16};
  CHECK(stream.precision() == std::vector<Precision>{Precision::int16, Precision::full,
                                                     Precision::int16, Precision::full});
  for (const Precision precision : Stream{model}.precision()) CHECK(precision == Precision::full);

  Sequential<float> other;
  other.add(Input{Dynamic, 3});
  other.add(LSTM{4, return_sequences, {.activation = Activation::relu}});
  CHECK(error_text<ValueError>([&] {
          Stream{other, Precision::int16};
        }) ==
        "Stream: no layer of the model can run in int16; LSTM, GRU and SimpleRNN layers of float "
        "with tanh and sigmoid can");
  const auto of_double = Sequential<double>([] {
    Sequential<double> made;
    made.add(Input{Dynamic, 3});
    made.add(LSTM{4, return_sequences});
    return made;
  }());
  CHECK_THROWS_AS((Stream{of_double, Precision::int16}), ValueError);
}

TEST_CASE("int16: layers within layers", "[stream][int16]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 6});
  model.add(Residual{LSTM{6, return_sequences}});
  model.add(Chain{LSTM{9, return_sequences}, GRU{7, return_sequences}});
  model.add(SkipConnections{LSTM{9, return_sequences}, LSTM{5, return_sequences}});
  model.add(AllOutputs{GRU{9, return_sequences}, LSTM{5, return_sequences}});
  model.initialize(2);
  const Stream stream{model, Precision::int16};
  for (const Precision precision : stream.precision()) CHECK(precision == Precision::int16);
  CHECK(decibels(model) < -50);
  const Sequential fixed{
      Chain{LSTM<float, 3, 8, return_sequences>(), LSTM<float, 8, 8, return_sequences>()},
      Dense<float, 8, 2>()};
  CHECK(decibels(fixed) < -50);
  // Weights of one unit alone: the sizes of a compiled step and of the packed integers agree.
  CHECK(decibels(Sequential<LSTM<float, 1, 40, return_sequences>, Dense<float, 40, 1>>()) < -50);
}

TEST_CASE("int16: other weights, and no memory", "[stream][int16]") {
  const auto model = stack_of_two(12);
  auto other = model;
  other.initialize(9);
  const std::vector<float> x(3, 0.5f);
  const auto next = [&](auto stream) {
    const auto y = stream.step(x);
    return std::vector<float>(y.begin(), y.end());
  };
  Stream stream{model, Precision::int16};
  const Stream of_other{other, Precision::int16};
  const auto before = next(stream);
  CHECK(before != next(Stream{model}));
  stream.update(other);
  CHECK(next(stream) == next(of_other));
  // Weights of another precision take their precision along.
  Stream full{model};
  stream.swap_weights(full);
  CHECK(next(stream) == next(Stream{model}));
  CHECK(next(full) == next(of_other));
  CHECK(stream.precision()[0] == Precision::full);
  CHECK(full.precision()[0] == Precision::int16);
}
