#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include <strata/kernels/simd.hpp>
#include <strata/layers/batch_normalization.hpp>
#include <strata/layers/dense.hpp>
#include <strata/layers/dropout.hpp>
#include <strata/layers/gru.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/layers/simple_rnn.hpp>
#include <strata/model/sequential.hpp>
#include <strata/model/stream.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/tolerance.hpp"

// Stream: one time step at a time, with the numbers of predict.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::require_close;

template <class Scalar>
constexpr strata::test::Tolerance close =
    std::is_same_v<Scalar, float> ? strata::test::Tolerance{1e-6, 1e-6}
                                  : strata::test::Tolerance{1e-15, 1e-14};

template <class Scalar>
Tensor<Scalar> random_sequence(Index steps, Index features, std::uint64_t seed = 1) {
  Tensor<Scalar> x({1, steps, features});
  Random random(seed);
  for (Scalar& value : x.values()) value = static_cast<Scalar>(2 * random.uniform() - 1);
  return x;
}

template <class Scalar>
std::span<const Scalar> step_of(const Tensor<Scalar>& x, Index t) {
  return x.values().subspan(static_cast<std::size_t>(t * x.features()),
                            static_cast<std::size_t>(x.features()));
}

/// The stream's outputs equal those of predict: at every step, or, where the model has one output
/// for a sequence, after each number of steps.
template <class Model>
void check_against_predict(const Model& model, Index features) {
  using Scalar = typename Model::scalar_type;
  const Index steps = 12;
  const auto x = random_sequence<Scalar>(steps, features);
  Stream stream{model};
  REQUIRE(stream.inputs() == features);
  for (Index t = 0; t < steps; ++t) {
    INFO("step " << t);
    const auto y = stream.step(typename decltype(stream)::In(step_of(x, t)));
    REQUIRE(static_cast<Index>(y.size()) == stream.outputs());
    Tensor<Scalar> so_far({1, t + 1, features});
    std::copy_n(x.data(), so_far.size(), so_far.data());
    const auto expected = model.predict(so_far);
    REQUIRE(expected.features() == stream.outputs());
    require_close(std::span<const Scalar>(y), expected.values().last(y.size()), close<Scalar>);
  }
}

/// A run-time model with weights that are far from zero.
template <class Scalar>
Sequential<Scalar> stack(Index features, bool sequences) {
  Sequential<Scalar> model;
  model.add(Input{Dynamic, features});
  model.add(LSTM{9, return_sequences});
  model.add(Dropout{0.5});
  model.add(Dense{5, Activation::tanh});
  if (sequences) {
    model.add(LSTM{20, return_sequences});
  } else {
    model.add(LSTM{20});
  }
  model.add(Dense{3, Activation::softmax});
  return model;
}

using Amp = Sequential<LSTM<float, 1, 7, return_sequences>, Dense<float, 7, 1>>;

}  // namespace

TEMPLATE_TEST_CASE("Stream: step by step is predict", "[stream]", float, double) {
  using Scalar = TestType;
  check_against_predict(stack<Scalar>(1, true), 1);
  check_against_predict(stack<Scalar>(4, true), 4);
  SECTION("a last LSTM without return_sequences, and a head after it") {
    check_against_predict(stack<Scalar>(4, false), 4);
  }
  SECTION("an LSTM alone, of every number of units around the width of a register") {
    for (Index units = 1; units <= 18; ++units) {
      INFO(units);
      Sequential<Scalar> model;
      model.add(Input{Dynamic, 2});
      model.add(LSTM{units});
      check_against_predict(model, 2);
    }
  }
  SECTION("other activations, no bias") {
    Sequential<Scalar> model;
    model.add(Input{Dynamic, 2});
    model.add(LSTM{6,
                   return_sequences,
                   {.activation = Activation::softsign,
                    .recurrent_activation = Activation::hard_sigmoid,
                    .use_bias = false}});
    check_against_predict(model, 2);
  }
  SECTION("a model without a recurrent layer") {
    Sequential<Scalar> model;
    model.add(Input{Dynamic, 2});
    model.add(Dense{6, Activation::relu});
    model.add(Dense{1});
    check_against_predict(model, 2);
  }
}

TEMPLATE_TEST_CASE("Stream: sizes fixed by the type", "[stream]", float, double) {
  using Scalar = TestType;
  check_against_predict(Sequential<LSTM<Scalar, 3, 8, return_sequences>, Dropout<Scalar>,
                                   LSTM<Scalar, 8, 5>, Dense<Scalar, 5, 2>>(
                            LSTM<Scalar, 3, 8, return_sequences>(), Dropout<Scalar>(0.3),
                            LSTM<Scalar, 8, 5>(), Dense<Scalar, 5, 2>(Activation::sigmoid)),
                        3);
  const auto check_units = [](auto units) {
    check_against_predict(Sequential<LSTM<Scalar, 2, units>, Dense<Scalar, units, 1>>(), 2);
  };
  // Two panels and a narrow one, two together, three together, many and a narrow one.
  check_units(std::integral_constant<Index, 12>{});
  check_units(std::integral_constant<Index, 16>{});
  check_units(std::integral_constant<Index, 24>{});
  check_units(std::integral_constant<Index, 33>{});
  check_against_predict(Sequential<GRU<Scalar, 2, 24>, Dense<Scalar, 24, 1>>(), 2);
  check_against_predict(Sequential<SimpleRNN<Scalar, 2, 24>, Dense<Scalar, 24, 1>>(), 2);
}

TEST_CASE("Stream: bits do not tell in which order a step reads the weights", "[stream]") {
  // Three registers of units: two together, and one.
  Sequential<> model;
  model.add(Input{Dynamic, 2});
  model.add(LSTM{3 * detail::register_width<float>, return_sequences});
  const auto x = random_sequence<float>(5, 2);
  Stream one{model};
  Stream other{model};
  (void)other.step(step_of(x, 0));
  other.reset();
  for (Index t = 0; t < 5; ++t) {
    INFO("step " << t);
    REQUIRE(test::equal(one.step(step_of(x, t)), other.step(step_of(x, t))));
  }
}

TEST_CASE("Stream: state is read, set and reset", "[stream]") {
  const auto model = stack<float>(2, true);
  const auto x = random_sequence<float>(8, 2);
  Stream stream{model};
  const auto start = stream.state();
  REQUIRE(start.layers.size() == 5);
  REQUIRE(start.layers[0] == std::vector<float>(18, 0.0f));
  REQUIRE(start.layers[3] == std::vector<float>(40, 0.0f));

  std::vector<std::vector<float>> outputs;
  State<float> middle;
  for (Index t = 0; t < 8; ++t) {
    if (t == 4) middle = stream.state();
    const auto y = stream.step(step_of(x, t));
    outputs.emplace_back(y.begin(), y.end());
  }
  REQUIRE(middle != start);
  REQUIRE(stream.state() != middle);

  const auto replay = [&](Stream<Sequential<float>>& from, Index first) {
    for (Index t = first; t < 8; ++t) {
      const auto y = from.step(step_of(x, t));
      REQUIRE(std::equal(y.begin(), y.end(), outputs[static_cast<std::size_t>(t)].begin()));
    }
  };
  SECTION("set_state goes on from there") {
    stream.set_state(middle);
    REQUIRE(stream.state() == middle);
    replay(stream, 4);
    Stream other{model};
    other.set_state(middle);
    replay(other, 4);
  }
  SECTION("reset starts anew") {
    stream.reset();
    REQUIRE(stream.state() == start);
    replay(stream, 0);
  }
  SECTION("the state is h, then c") {
    const auto h = stream.state().layers[3];
    Sequential<float> last;
    last.add(Input{Dynamic, 2});
    last.add(LSTM{4});
    Stream one{last};
    const auto y = one.step(step_of(x, 0));
    const auto& state = one.state().layers[0];
    REQUIRE(state.size() == 8);
    REQUIRE(std::equal(y.begin(), y.end(), state.begin()));
    REQUIRE_FALSE(std::equal(y.begin(), y.end(), state.begin() + 4));
  }
}

TEST_CASE("Stream: copies are independent", "[stream]") {
  const auto model = stack<float>(2, true);
  const auto x = random_sequence<float>(6, 2);
  Stream stream{model};
  for (Index t = 0; t < 3; ++t) (void)stream.step(step_of(x, t));
  Stream copy = stream;
  REQUIRE(copy.state() == stream.state());
  const auto before = copy.state();
  (void)stream.step(step_of(x, 3));
  REQUIRE(copy.state() == before);
  (void)copy.step(step_of(x, 3));
  REQUIRE(copy.state() == stream.state());
  copy = Stream{model};
  REQUIRE(copy.state() != stream.state());
}

TEST_CASE("Stream: what happens to the model afterwards is not seen", "[stream]") {
  const auto x = random_sequence<float>(5, 2);
  std::vector<float> expected(15);
  std::vector<float> found(15);
  auto model = std::make_unique<Sequential<float>>(stack<float>(2, true));
  Stream{*model}.process(x.values(), expected);
  Stream stream{*model};
  SECTION("new weights") {
    model->initialize(99);
    stream.process(x.values(), found);
    REQUIRE(found == expected);
    Stream{*model}.process(x.values(), found);
    REQUIRE(found != expected);
  }
  SECTION("its end") {
    model.reset();
    stream.process(x.values(), found);
    REQUIRE(found == expected);
  }
}

TEST_CASE("Stream: process is step after step, bit for bit", "[stream]") {
  const auto model = stack<float>(2, true);
  const auto x = random_sequence<float>(9, 2);
  Stream stream{model};
  std::vector<float> expected;
  for (Index t = 0; t < 9; ++t) {
    const auto y = stream.step(step_of(x, t));
    expected.insert(expected.end(), y.begin(), y.end());
  }
  Stream other{model};
  std::vector<float> found(27);
  other.process(x.values().first(8), std::span(found).first(12));
  other.process(x.values().subspan(8, 0), std::span(found).first(0));
  other.process(x.values().subspan(8), std::span(found).subspan(12));
  REQUIRE(found == expected);
  REQUIRE(other.state() == stream.state());
}

TEST_CASE("Stream: a block may be processed in its own memory", "[stream]") {
  const Amp amp;
  const auto x = random_sequence<float>(16, 1);
  std::vector<float> expected(16);
  Stream{amp}.process(x.values(), expected);
  std::vector<float> block(x.values().begin(), x.values().end());
  Stream{amp}.process(block, block);
  REQUIRE(block == expected);
  Stream stream{amp};
  std::vector<float> samples(x.values().begin(), x.values().end());
  for (float& sample : samples) sample = stream(sample);
  REQUIRE(samples == expected);
}

TEST_CASE("Stream: NaN in gives NaN out, and reset heals", "[stream]") {
  const Amp amp;
  Stream stream{amp};
  const float good = stream(0.5f);
  REQUIRE(std::isfinite(good));
  REQUIRE(std::isnan(stream(std::numeric_limits<float>::quiet_NaN())));
  REQUIRE(std::isnan(stream(0.5f)));
  stream.reset();
  REQUIRE(stream(0.5f) == good);
}

TEST_CASE("Stream: errors", "[stream]") {
  SECTION("a model whose sizes are not known") {
    Sequential<float> model;
    model.add(LSTM{4});
    REQUIRE(error_text<StateError>([&] { Stream stream{model}; }) ==
            "Stream: the model's sizes are not known yet; build or fit it first");
  }
  SECTION("a layer that needs the whole sequence") {
    Sequential<float> model;
    model.add(Input{Dynamic, 1});
    model.add(LSTM{4, return_sequences});
    model.add(LSTM{6, {.go_backwards = true}});
    REQUIRE(error_text<ValueError>([&] { Stream stream{model}; }) ==
            "Stream: layer 1 (LSTM, 6 units): go_backwards needs the whole sequence, which a "
            "stream does not have");
  }
  const auto model = stack<float>(2, true);
  Stream stream{model};
  const std::vector<float> in(6, 0.5f);
  std::vector<float> out(9);
  (void)stream.step(std::span(in).first(2));
  const auto before = stream.state();
  SECTION("sizes of data") {
    REQUIRE(error_text<ShapeError>([&] { (void)stream.step(std::span(in).first(3)); }) ==
            "Stream: step: expects 2, found 3");
    REQUIRE(error_text<ShapeError>([&] { (void)stream(1.0f); }) ==
            "Stream: stream(x): expects 2, found 1");
    REQUIRE(error_text<ShapeError>([&] { stream.process(std::span(in).first(5), out); }) ==
            "Stream: process: x: expects 4, found 5");
    REQUIRE(error_text<ShapeError>([&] { stream.process(in, std::span(out).first(8)); }) ==
            "Stream: process: y: expects 9, found 8");
  }
  SECTION("states of another model") {
    State<float> state = before;
    state.layers.pop_back();
    REQUIRE(error_text<ShapeError>([&] { stream.set_state(state); }) ==
            "Stream: set_state: the number of layers: expects 5, found 4");
    state = before;
    state.layers[0].assign(18, 7.0f);
    state.layers[3].push_back(0);
    REQUIRE(error_text<ShapeError>([&] { stream.set_state(state); }) ==
            "Stream: set_state: the size of a layer's state: expects 40, found 41");
  }
  REQUIRE(stream.state() == before);
  stream.process(in, out);
}

static_assert(noexcept(std::declval<Stream<Amp>&>()(1.0f)));
static_assert(noexcept(std::declval<Stream<Amp>&>().step(std::declval<Stream<Amp>::In>())));
TEST_CASE("Stream: other weights, the same state", "[stream]") {
  const auto check = [](const auto& model) {
    const std::vector<float> x{0.5f, -1, 0.25f, 2}, next{1, -0.5f, 0.75f, 0.25f};
    auto other = model;
    other.initialize(7);
    // What the other model computes after the state of this one.
    Stream reference{other};
    Stream stream{model};
    std::vector<float> y(4), expected(4);
    stream.process(x, y);
    const auto state = stream.state();
    reference.set_state(state);
    reference.process(next, expected);

    Stream swapped = stream;
    Stream fresh{other};
    const auto fresh_state = fresh.state();
    swapped.swap_weights(fresh);
    CHECK(swapped.state() == state);
    CHECK(fresh.state() == fresh_state);
    swapped.process(next, y);
    CHECK(y == expected);
    // The other stream has got the weights of the first.
    Stream again = stream;
    std::vector<float> unchanged(4);
    fresh.set_state(state);
    fresh.process(next, y);
    again.process(next, unchanged);
    CHECK(y == unchanged);

    // A copy that shares the weights keeps them.
    Stream copy = stream;
    stream.update(other);
    CHECK(stream.state() == state);
    stream.process(next, y);
    CHECK(y == expected);
    copy.process(next, y);
    CHECK(y == unchanged);
  };
  check(Amp());
  Sequential<float> chosen;
  chosen.add(Input{Dynamic, 1});
  chosen.add(LSTM{6, return_sequences});
  chosen.add(BatchNormalization{});
  chosen.add(Dense{1});
  check(chosen);
}

TEST_CASE("Stream: weights of other sizes are refused", "[stream]") {
  const auto model_of = [](Index units, Index outputs) {
    Sequential<float> model;
    model.add(Input{Dynamic, 1});
    model.add(LSTM{units, return_sequences});
    model.add(Dense{outputs});
    return model;
  };
  const auto model = model_of(4, 1);
  Stream stream{model};
  (void)stream(1);
  const auto state = stream.state();
  const auto refusals = [&](const Sequential<float>& other) {
    Stream of_other{other};
    return error_text<ShapeError>([&] { stream.update(other); }) + "; " +
           error_text<ShapeError>([&] { stream.swap_weights(of_other); });
  };
  CHECK(refusals(model_of(5, 1)) ==
        "Stream: update: the size of a layer's state: expects 8, found 10; Stream: swap_weights: "
        "the size of a layer's state: expects 8, found 10");
  CHECK(refusals(model_of(4, 2)) ==
        "Stream: update: the outputs: expects 1, found 2; Stream: swap_weights: the outputs: "
        "expects 1, found 2");
  auto deeper = model_of(4, 1);
  deeper.add(Dense{1});
  CHECK(refusals(deeper) ==
        "Stream: update: the number of layers: expects 2, found 3; Stream: swap_weights: the "
        "number of layers: expects 2, found 3");
  CHECK(stream.state() == state);
  // Layers of another kind with the same sizes have weights of another form.
  Sequential<float> first, second;
  for (Sequential<float>* one : {&first, &second}) one->add(Input{Dynamic, 1});
  first.add(GRU{4, return_sequences});
  second.add(SimpleRNN{4, return_sequences});
  Stream changed{first}, expected{second};
  changed.update(second);
  CHECK(changed.step(std::vector<float>{0.5f})[0] == expected.step(std::vector<float>{0.5f})[0]);
  Stream same{model};
  same.set_state(state);
  CHECK(stream(0.5f) == same(0.5f));
}

static_assert(noexcept(std::declval<Stream<Amp>&>().reset()));
static_assert(noexcept(std::declval<Stream<Amp>&>().process(std::span<const float>(),
                                                            std::span<float>())));
static_assert(noexcept(std::declval<Stream<Amp>&>().swap_weights(std::declval<Stream<Amp>&>())));
static_assert(!noexcept(std::declval<Stream<Sequential<float>>&>().process(std::span<const float>(),
                                                                           std::span<float>())));
static_assert(noexcept(std::declval<Stream<Sequential<float>>&>().reset()));
static_assert(noexcept(std::declval<const Stream<Amp>&>().state()));
static_assert(std::copyable<Stream<Amp>>);
