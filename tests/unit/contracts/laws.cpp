// Laws that hold for every layer and both scalars. They are stated once; layer_cases.cpp
// lists the layers.

#include "support/catch.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"
#include "support/tolerance.hpp"
#include "support/values_of.hpp"

using namespace strata;
using namespace strata::test;

TEMPLATE_TEST_CASE("A copy of a layer computes the same bits and is independent", "[laws]", float,
                   double) {
  for (auto& one : layer_cases<TestType>()) {
    DYNAMIC_SECTION(one.name) {
      const auto x = one.input(3, 4, 1);
      const auto before = predict(one.layer, x);
      AnyLayer<TestType> copy = one.layer;
      CHECK(test::equal(values_of(predict(copy, x)), before.values()));
      for (auto& parameter : copy.parameters()) {
        for (TestType& value : parameter.values) value += 1;
      }
      CHECK(test::equal(values_of(predict(one.layer, x)), before.values()));
      if (copy.parameter_count() > 0) {
        CHECK_FALSE(test::equal(values_of(predict(copy, x)), before.values()));
      }
    }
  }
}

TEMPLATE_TEST_CASE("The same seed draws the same weights, another seed others", "[laws]", float,
                   double) {
  for (auto& one : layer_cases<TestType>()) {
    DYNAMIC_SECTION(one.name) {
      const auto weights = [&](std::uint64_t seed) {
        AnyLayer<TestType> layer = one.layer;
        layer.initialize(Random(seed));
        std::vector<TestType> all;
        for (const auto& parameter : layer.parameters()) {
          all.insert(all.end(), parameter.values.begin(), parameter.values.end());
        }
        return all;
      };
      CHECK(weights(3) == weights(3));
      if (one.layer.parameter_count() > 0 && one.drawn) CHECK(weights(3) != weights(4));
    }
  }
}

TEMPLATE_TEST_CASE("The parts of a state are the whole state", "[laws]", float, double) {
  for (auto& one : layer_cases<TestType>()) {
    DYNAMIC_SECTION(one.name) {
      detail::StateParts parts;
      one.layer.list_state(parts);
      Index size = 0;
      for (const StatePart& part : parts.list()) {
        CHECK(part.size > 0);
        size += part.size;
      }
      CHECK(size == one.layer.state_size());
    }
  }
}

TEMPLATE_TEST_CASE("A whole sequence is its steps one by one", "[laws]", float, double) {
  for (auto& one : layer_cases<TestType>()) {
    if (!one.streams) continue;
    DYNAMIC_SECTION(one.name) {
      const Index steps = 6;
      const auto x = one.input(1, steps, 2);
      const auto y = predict(one.layer, x);
      PackedStep<TestType> packed;
      one.layer.pack(packed, false);
      std::vector<TestType> state(static_cast<std::size_t>(one.layer.state_size()));
      std::vector<TestType> out(static_cast<std::size_t>(y.features()));
      for (Index t = 0; t < steps; ++t) {
        packed.step(x.data() + t * (x.size() / steps), state.data(), out.data(),
                    t % 2 == 0 ? WeightOrder::ascending : WeightOrder::descending);
        if (y.rank() == 3) {
          require_close(out,
                        values_of(y.rows(0, 1)).subspan(out.size() * std::size_t(t), out.size()),
                        tolerance<TestType>.values);
        }
      }
      if (y.rank() == 2) require_close(out, y.values(), tolerance<TestType>.values);
    }
  }
}

TEMPLATE_TEST_CASE("A batch is its sequences one by one", "[laws]", float, double) {
  for (auto& one : layer_cases<TestType>()) {
    DYNAMIC_SECTION(one.name) {
      // Every number of columns of a tile, and groups of several sizes.
      for (Index batch = 1; batch <= 14; ++batch) {
        const auto x = one.input(batch, 3, 3);
        const auto y = predict(one.layer, x);
        for (Index b = 0; b < batch; ++b) {
          require_close(values_of(predict(one.layer, x.rows(b, 1))), values_of(y.rows(b, 1)),
                        tolerance<TestType>.values);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("A training pass without dropout computes what prediction does", "[laws]", float,
                   double) {
  for (auto& one : layer_cases<TestType>()) {
    if (one.random || one.statistics) continue;
    DYNAMIC_SECTION(one.name) {
      const auto x = one.input(5, 4, 4);
      PackedStep<TestType> packed;
      one.layer.pack(packed, true);
      std::shared_ptr<void> tape;
      Tensor<TestType> y;
      one.layer.forward(packed, x, tape, y, Pass<TestType>{Random(1)});
      // Not the same bits: prediction combines divisions, training keeps the gates and cannot.
      require_close(y.values(), values_of(predict(one.layer, x)), tolerance<TestType>.values);
    }
  }
}

TEMPLATE_TEST_CASE("Dropout is the same for the same seed, in training only", "[laws]", float,
                   double) {
  for (auto& one : layer_cases<TestType>()) {
    if (!one.random) continue;
    DYNAMIC_SECTION(one.name) {
      const auto x = one.input(5, 4, 4);
      const auto train = [&](std::uint64_t seed) {
        PackedStep<TestType> packed;
        one.layer.pack(packed, true);
        std::shared_ptr<void> tape;
        Tensor<TestType> y;
        one.layer.forward(packed, x, tape, y, Pass<TestType>{Random(seed)});
        return y;
      };
      CHECK(test::equal(values_of(train(1)), values_of(train(1))));
      CHECK_FALSE(test::equal(values_of(train(1)), values_of(train(2))));
      CHECK_FALSE(test::equal(values_of(train(1)), values_of(predict(one.layer, x))));
      CHECK(test::equal(values_of(predict(one.layer, x)), values_of(predict(one.layer, x))));
    }
  }
}

TEMPLATE_TEST_CASE("The last step with return_sequences is the output without", "[laws]", float,
                   double) {
  using Last = LSTM<TestType>;
  using Sequence = LSTM<TestType, Dynamic, Dynamic, return_sequences>;
  const std::vector<LSTMOptions> options{
      {}, {.use_bias = false}, {.go_backwards = true}, {.activation = Activation::relu}};
  for (const auto& option : options) {
    Last last{11, option};
    Sequence sequence{11, return_sequences, option};
    for (Index steps : {1, 2, 3, 8}) {
      last.build(3);
      last.initialize(Random(5));
      sequence.build(3);
      sequence.initialize(Random(5));
      const auto x = random_tensor<TestType>({4, steps, 3}, 6);
      const auto y = predict(ForwardRef<TestType>(last), x);
      const auto all = predict(ForwardRef<TestType>(sequence), x);
      CHECK(y.matrix() == std::as_const(all).step(steps - 1));
    }
  }
}

TEMPLATE_TEST_CASE("A chosen stack computes what the fixed one does", "[laws][own_code]", float,
                   double) {
  using Fixed = Sequential<LSTM<TestType, 3, 9, return_sequences>, Dropout<TestType>,
                           LSTM<TestType, 9, 5>, Dense<TestType, 5, 2>>;
  Fixed fixed{{}, Dropout<TestType>{0.1}, {}, {}};
  Sequential<TestType> chosen;
  std::apply([&](const auto&... layer) { (chosen.add(layer), ...); }, fixed.layers());
  REQUIRE(chosen.is_built());
  REQUIRE(chosen.weights() == fixed.weights());
  auto x = random_tensor<TestType>({7, 4, 3}, 8);
  auto y = random_tensor<TestType>({7, 2}, 9);
  CHECK(test::equal(values_of(chosen.predict(x)), values_of(fixed.predict(x))));
  for (int step = 0; step < 3; ++step) {
    fixed.compile(Adam{}, MeanSquaredError{});
    chosen.compile(Adam{}, MeanSquaredError{});
    CHECK(fixed.train_on_batch(x, y).loss == chosen.train_on_batch(x, y).loss);
  }
  CHECK(chosen.weights() == fixed.weights());
}
