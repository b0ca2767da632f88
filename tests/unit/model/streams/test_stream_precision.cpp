#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/one_layer.hpp"

// Streams with 16-bit weights, integers and floats: how far they are from the full precision, and
// which layers have them.

namespace {

using namespace strata;
using strata::test::error_text;

/// The error of a stream in a precision against one in full precision over normal inputs, as the
/// root of the mean square, in decibels of the outputs'.
template <class Model>
double decibels(const Model& model, Precision precision = Precision::int16, int steps = 300) {
  Stream full{model};
  Stream reduced{model, precision};
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

TEST_CASE("int16, half: each layer that can is close to the full precision",
          "[stream][int16][half]") {
  std::vector<std::string> in_int16, in_half;
  for (const auto& layer : test::layer_cases<float>()) {
    if (!layer.streams || layer.layer.accepts() == Accepts::ids) continue;
    const test::OneLayer<float> model(layer);
    for (const Precision precision : {Precision::int16, Precision::half}) {
      INFO(layer.name << " in " << name(precision));
      if (execution(layer.layer, {.precision = precision}).precision == Precision::full) {
        CHECK_THROWS_AS((Stream{model, precision}), ValueError);
        continue;
      }
      (precision == Precision::half ? in_half : in_int16).push_back(layer.layer.kind());
      // Weights and outputs are rounded to some 14 bits, 84 dB, or weights to 11, 72 dB; a
      // recurrence may amplify that, and weights of one unit differ in size. In a few steps no
      // activation without a bound leaves the numbers.
      CHECK(decibels(model, precision, 10) < -50);
    }
  }
  const auto has = [](const std::vector<std::string>& kinds, const char* kind) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  for (const char* kind : {"LSTM", "GRU", "SimpleRNN", "ExtendedLSTM", "CoupledLSTM"}) {
    INFO(kind);
    CHECK(has(in_int16, kind));
    CHECK(has(in_half, kind));
  }
  CHECK(has(in_half, "WindowLSTM"));
  CHECK(!has(in_int16, "WindowLSTM"));
}

TEST_CASE("half: projections, and activations without a bound", "[stream][half]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 3});
  model.add(ExtendedLSTM{20, return_sequences, {.projection = 7}});
  model.add(LSTM{9, return_sequences, {.activation = Activation::relu}});
  model.add(LayerNormLSTM{40, return_sequences});
  model.add(SimpleRNN{5, return_sequences, {.activation = Activation::elu}});
  model.initialize(1);
  CHECK(Stream{model, Precision::half}.precision() ==
        std::vector<Precision>{Precision::half, Precision::half, Precision::full, Precision::half});
  CHECK_THROWS_AS((Stream{model, Precision::int16}), ValueError);
  CHECK(decibels(model, Precision::half, 10) < -50);
}

TEST_CASE("half: weights that are 16-bit floats lose nothing", "[stream][half]") {
  for (const Index units : {1, 3, 7, 16, 20, 33, 64, 130}) {
    INFO(units);
    Sequential<float> model;
    model.add(Input{Dynamic, 5});
    model.add(LSTM{units, return_sequences});
    model.add(GRU{units, return_sequences});
    model.initialize(static_cast<std::uint64_t>(units));
    auto weights = model.weights();
    for (float& weight : weights) weight = std::round(weight * 256) / 256;
    model.set_weights(weights);
    // The sums of the full precision, in another order: 24 bits, 144 dB, of each of many sums.
    CHECK(decibels(model, Precision::half) < -110);
  }
}

TEST_CASE("half: weights beyond its numbers", "[stream][half]") {
  auto model = stack_of_two(12);
  auto weights = model.weights();
  weights[3 * 48 + 7] = 65520;
  model.set_weights(weights);
  // The layer keeps its floats.
  CHECK(Stream{model, Precision::half}.precision() ==
        std::vector<Precision>{Precision::full, Precision::full, Precision::half, Precision::full});
  for (float& weight : weights) weight = 70000;
  model.set_weights(weights);
  CHECK(error_text<ValueError>([&] {
          Stream{model, Precision::half};
        }) ==
        "Stream: no layer of the model can run in half; recurrent layers of float can, with "
        "weights of at most 65504");
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

TEST_CASE("int16, half: numbers that are not finite stay to be seen", "[stream][int16][half]") {
  const auto model = stack_of_two(12);
  const auto precision = GENERATE(Precision::int16, Precision::half);
  INFO(name(precision));
  // With floats, infinity times a weight may still be a finite output of tanh.
  for (const float unusual :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    if (precision == Precision::half && std::isinf(unusual)) continue;
    Stream stream{model, precision};
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

TEST_CASE("int16, half: other weights", "[stream][int16][half]") {
  const auto precision = GENERATE(Precision::int16, Precision::half);
  INFO(name(precision));
  const auto model = stack_of_two(12);
  auto other = model;
  other.initialize(9);
  const std::vector<float> x(3, 0.5f);
  const auto next = [&](auto stream) {
    const auto y = stream.step(x);
    return std::vector<float>(y.begin(), y.end());
  };
  Stream stream{model, precision};
  const Stream of_other{other, precision};
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
  CHECK(full.precision()[0] == precision);
}

TEST_CASE("int16: many streams at once", "[stream][int16]") {
  const auto model = stack_of_two(20);
  StreamBatch streams{model, Precision::int16};
  CHECK(streams.precision() == Stream{model, Precision::int16}.precision());
  for (const Precision precision : StreamBatch{model}.precision()) {
    CHECK(precision == Precision::full);
  }
  // With all numbers of streams that fill a tile, and do not.
  std::vector<StreamId> ids;
  std::vector<Stream<Sequential<float>>> alone, full;
  Random random(3);
  double error = 0, size = 0, between = 0;
  for (int t = 0; t < 40; ++t) {
    if (t < 20) {
      ids.push_back(streams.join());
      alone.emplace_back(model, Precision::int16);
      full.emplace_back(model);
    }
    for (const StreamId id : ids) {
      for (float& value : streams.input(id)) value = static_cast<float>(random.normal());
    }
    streams.step();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto x = streams.input(ids[i]);
      const auto y = streams.output(ids[i]);
      const float* const of_alone = alone[i].step(x.data());
      const float* const right = full[i].step(x.data());
      for (std::size_t unit = 0; unit < y.size(); ++unit) {
        error += std::pow(double(y[unit]) - double(right[unit]), 2);
        between += std::pow(double(y[unit]) - double(of_alone[unit]), 2);
        size += std::pow(double(right[unit]), 2);
      }
    }
  }
  CHECK(10 * std::log10(error / size) < -50);
  CHECK(error > 0);
  // The sums are the same integers; only the products with x are rounded in another order, which
  // now and then takes an output to the next integer.
  CHECK(between < error);

  StreamBatch other{model};
  (void)other.join();
  other.swap_weights(streams);
  CHECK(streams.precision()[0] == Precision::full);
  CHECK(other.precision()[0] == Precision::int16);
  other.update(model);
  CHECK(other.precision()[0] == Precision::int16);

  CHECK(error_text<ValueError>([&] {
          StreamBatch{model, Precision::half};
        }) == "StreamBatch: expected the precision full or int16, found half");
  Sequential<float> dense;
  dense.add(Input{Dynamic, 3});
  dense.add(Dense{4});
  CHECK_THROWS_AS((StreamBatch{dense, Precision::int16}), ValueError);
}
