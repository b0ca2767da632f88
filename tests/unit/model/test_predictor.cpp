#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/decibels.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"

// Predictor, and predictions with 16-bit weights.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::random_tensor;

Sequential<float> predicted_stack() {
  Sequential<float> model;
  model.add(Input{Dynamic, 3});
  model.add(LSTM{20, return_sequences});
  model.add(Bidirectional{GRU{9, return_sequences}});
  model.add(SimpleRNN{40, return_sequences});
  model.add(Dense{2});
  model.initialize(1);
  return model;
}

bool same(const Tensor<float>& a, const Tensor<float>& b) {
  return a.shape() == b.shape() && test::equal(a.values(), b.values());
}

double decibels_of(const Tensor<float>& found, const Tensor<float>& expected) {
  return test::decibels(found.values(), expected.values());
}

}  // namespace

TEST_CASE("Predictor: from any thread", "[predict][threads]") {
  const auto model = predicted_stack();
  const auto x = random_tensor<float>({5, 7, 3}, 1);
  const Predictor predictor{model};
  std::vector<Tensor<float>> found(3);
  std::vector<std::thread> threads;
  for (auto& one : found) threads.emplace_back([&] { one = predictor(x); });
  for (auto& thread : threads) thread.join();
  for (const auto& one : found) CHECK(same(one, model.predict(x)));
}

TEST_CASE("Predictor: the bits of predict", "[predict]") {
  const auto model = predicted_stack();
  const auto x = random_tensor<float>({5, 7, 3}, 1);
  const Predictor predictor{model};
  const auto expected = model.predict(x);
  CHECK(same(predictor(x), expected));
  const Mask mask = Mask::from_lengths(std::vector<Index>{7, 3, 5, 1, 2}, 7);
  CHECK(same(predictor(x, {.mask = mask}), model.predict(x, {.mask = mask})));
  State<float> state, other;
  const auto once = predictor(x, {.state = &state});
  CHECK(same(once, model.predict(x, {.state = &other})));
  CHECK(same(predictor(x, {.state = &state}), model.predict(x, {.state = &other})));

  // It has weights of its own, and a copy too.
  auto changed = model;
  const Predictor before{changed};
  changed.initialize(2);
  CHECK(same(before(x), expected));
  const auto copy = before;
  CHECK(same(copy(x), expected));

  const Sequential fixed{LSTM<float, 3, 8>(), Dense<float, 8, 2>()};
  CHECK(same(Predictor{fixed}(x), fixed.predict(x)));
  CHECK_THROWS_AS((Predictor{Sequential{LSTM{4}}}), StateError);
  CHECK(error_text<ShapeError>([&] {
          (void)predictor(Tensor<float>({1, 2, 4}));
        }) == error_text<ShapeError>([&] {
          (void)model.predict(Tensor<float>({1, 2, 4}));
        }));
}

TEST_CASE("int16: predictions of one sequence", "[predict][int16]") {
  const auto model = predicted_stack();
  const auto x = random_tensor<float>({3, 40, 3}, 1);
  const auto full = model.predict(x);
  // Weights that are 16-bit floats would gain nothing in a batch of several sequences.
  CHECK(same(model.predict(x, {.precision = Precision::half}), full));
  const auto reduced = model.predict(x, {.batch_size = 1, .precision = Precision::int16});
  CHECK(!same(reduced, full));
  CHECK(decibels_of(reduced, full) < -50);
  const Predictor predictor{model, Precision::int16};
  CHECK(same(predictor(x, {.batch_size = 1}), reduced));
  for (Index b = 0; b < 3; ++b) {
    const Tensor<float> one = model.predict(x.rows(b, 1), {.precision = Precision::int16});
    CHECK(std::equal(one.values().begin(), one.values().end(),
                     reduced.values().begin() + b * one.size()));
  }
  // Steps that do not count, and a state that goes on.
  Mask mask(1, 40);
  for (Index t = 10; t < 30; ++t) mask.set(0, t, false);
  const Tensor<float> first = x.rows(0, 1);
  CHECK(decibels_of(predictor(first, {.mask = mask}), model.predict(first, {.mask = mask})) < -50);
  Sequential<float> forward;
  forward.add(Input{Dynamic, 3});
  forward.add(LSTM{20, return_sequences});
  const Predictor goes_on{forward, Precision::int16};
  State<float> state;
  (void)goes_on(x.rows(0, 1), {.state = &state});
  const Tensor<float> after = goes_on(x.rows(1, 1), {.state = &state});
  State<float> full_state;
  (void)forward.predict(x.rows(0, 1), {.state = &full_state});
  CHECK(decibels_of(after, forward.predict(x.rows(1, 1), {.state = &full_state})) < -50);
}

TEST_CASE("int16: predictions of batches", "[predict][int16]") {
  const auto model = predicted_stack();
  const Predictor predictor{model, Precision::int16};
  // Fewer and more sequences than a tile has columns, and more than a chunk of tiles has.
  for (const Index batch : {2, 5, 6, 7, 33, 100}) {
    INFO(batch);
    const auto x = random_tensor<float>({batch, 20, 3}, 1);
    const auto full = model.predict(x, {.batch_size = batch});
    const auto found = predictor(x, {.batch_size = batch});
    CHECK(!same(found, full));
    CHECK(decibels_of(found, full) < -50);
    CHECK(same(model.predict(x, {.batch_size = batch, .precision = Precision::int16}), found));
    // Sequences of different lengths.
    std::vector<Index> lengths;
    for (Index b = 0; b < batch; ++b) lengths.push_back(1 + b % 20);
    const Mask mask = Mask::from_lengths(lengths, 20);
    CHECK(decibels_of(predictor(x, {.batch_size = batch, .mask = mask}),
                      model.predict(x, {.batch_size = batch, .mask = mask})) < -50);
  }
}

TEST_CASE("int16: every layer in predictions", "[predict][int16]") {
  int reduced = 0;
  for (const auto& one : test::layer_cases<float>()) {
    if (execution(one.layer, {.precision = Precision::int16}).precision == Precision::full)
      continue;
    ++reduced;
    for (const Index batch : {1, 4, 8}) {
      for (const bool bounded : {false, true}) {
        INFO(one.name << ", B = " << batch << (bounded ? ", x of at most 1" : ""));
        auto x = one.input(batch, 30, 2);
        if (bounded) {
          for (float& value : x.values()) value = std::tanh(value);
        }
        PackedLayer packed;
        one.layer.pack(packed, false);
        Tensor<float> full, found;
        one.layer.forward(packed, x, full, {});
        one.layer.reduce(packed, {.precision = Precision::int16, .bounded = bounded});
        one.layer.forward(packed, x, found, {});
        CHECK(!same(found, full));
        CHECK(decibels_of(found, full) < -50);
        // Asked for the full precision again, it has that.
        one.layer.reduce(packed, {});
        one.layer.forward(packed, x, found, {});
        CHECK(same(found, full));
      }
    }
  }
  CHECK(reduced >= 5);
}

TEST_CASE("int16: a number that is not finite stays in its own sequence", "[predict][int16]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 3});
  model.add(LSTM{20, return_sequences});
  model.add(LSTM{20, return_sequences});
  const Predictor predictor{model, Precision::int16};
  const auto x = random_tensor<float>({9, 5, 3}, 1);
  State<float> state = model.zero_state(9);
  const auto right = predictor(x, {.batch_size = 9, .state = &state});
  for (const float unusual :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    state = model.zero_state(9);
    state.rows(1)(4)[7] = unusual;
    const auto y = predictor(x, {.batch_size = 9, .state = &state});
    for (Index b = 0; b < 9; ++b) {
      const auto row = y.rows(b, 1);
      const auto row_right = right.rows(b, 1);
      if (b == 4) {
        CHECK(std::isnan(row.values()[0]));
      } else {
        CHECK(std::equal(row.values().begin(), row.values().end(), row_right.values().begin()));
      }
    }
  }
}

TEST_CASE("int16: predictions that it is not for", "[predict][int16]") {
  Sequential<float> model;
  model.add(Input{Dynamic, 3});
  model.add(Dense{4});
  const Tensor<float> x({1, 2, 3});
  const std::string text =
      ": no layer of the model can run in int16; LSTM, GRU and SimpleRNN layers of float with tanh "
      "and sigmoid can";
  CHECK(error_text<ValueError>([&] { (void)model.predict(x, {.precision = Precision::int16}); }) ==
        "predict" + text);
  CHECK(error_text<ValueError>([&] {
          (void)Predictor{model, Precision::int16};
        }) == "Predictor" + text);
}
