#include <cmath>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/layer_cases.hpp"
#include "support/ranges.hpp"
#include "support/tolerance.hpp"
#include "support/values_of.hpp"

// The layers around recurrent ones in models, where neither the laws nor Keras' numbers test them.

namespace {

using namespace strata;
using namespace strata::test;

using Sequence = LSTM<float, Dynamic, Dynamic, return_sequences>;

/// Forward in training, and backward from ones.
template <class L>
struct Trained {
  Tensor<float> y;
  Tensor<float> dx;

  Trained(const L& layer, const Tensor<float>& x, const Pass<float>& pass) {
    typename L::Packed packed;
    typename L::Tape tape;
    layer.pack(packed, true);
    layer.forward(packed, x, tape, y, pass);
    Tensor<float> dy(y.shape());
    test::fill(dy.values(), 1.0f);
    std::vector<float> gradient(100);
    layer.backward(packed, x, y, dy, tape, gradient, &dx, pass);
  }
};

/// The outputs of a stream over x of one sequence.
template <class Model>
std::vector<float> streamed(const Model& model, const Tensor<float>& x) {
  Stream stream{model};
  std::vector<float> y(static_cast<std::size_t>(x.steps() * stream.outputs()));
  stream.process(x.values(), y);
  return y;
}

}  // namespace

TEST_CASE("Around: what a layer cannot be", "[around]") {
  REQUIRE(error_text<ValueError>([] {
            Embedding{0, 3};
          }) == "Embedding: vocabulary must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] {
            Embedding{20'000'000, 1};
          }) ==
          "Embedding: this scalar holds whole numbers up to 16777216, but the vocabulary is "
          "20000000");
  REQUIRE(error_text<ValueError>([] { RepeatVector{0}; }) ==
          "RepeatVector: n must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] {
            Reshape{2, 0};
          }) == "Reshape: features must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] { AttentionPooling{0}; }) ==
          "AttentionPooling: units must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([] { GaussianNoise{-0.5}; }) ==
          "GaussianNoise: stddev must be at least 0, found -0.5");
  REQUIRE(error_text<ValueError>([] { LayerNormalization{{.epsilon = -1}}; }) ==
          "LayerNormalization: epsilon must be at least 0, found -1");
  REQUIRE(error_text<ValueError>([] { BatchNormalization{{.epsilon = -1}}; }) ==
          "BatchNormalization: epsilon must be at least 0, found -1");
  REQUIRE(error_text<ValueError>([] { BatchNormalization{{.momentum = 1.5}}; }) ==
          "BatchNormalization: momentum must be in [0, 1], found 1.5");
}

TEST_CASE("Around: layers that do not join", "[around]") {
  Sequential<> model;
  SECTION("ids behind a layer") {
    model.add(Dense{3});
    REQUIRE(error_text<ShapeError>([&] {
              model.add(Embedding{5, 2});
            }) ==
            "layer 1 (Embedding, 2 units): expects class numbers (B, T) as the model's input, "
            "found (None, None, 3)");
  }
  SECTION("samples") {
    model.add(LSTM{3, return_sequences});
    REQUIRE(error_text<ShapeError>([&] { model.add(RepeatVector{5}); }) ==
            "layer 1 (RepeatVector, 5 steps): expects samples (B, F), but layer 0 (LSTM) returns "
            "sequences; construct it without return_sequences");
  }
  SECTION("sequences") {
    model.add(LSTM{3});
    for (const std::string& text :
         {error_text<ShapeError>([&] { model.add(Masking{0}); }),
          error_text<ShapeError>([&] { model.add(LastStep<>{}); }),
          error_text<ShapeError>([&] { model.add(AttentionPooling{2}); }),
          error_text<ShapeError>([&] { model.add(TimeDistributed{Dense{2}}); })}) {
      REQUIRE(text.ends_with(
          "expects sequences (B, T, F), but layer 0 (LSTM) returns one output per sequence; "
          "construct it with return_sequences"));
    }
  }
  SECTION("sizes of Reshape") {
    model.add(Input{4, 3});
    REQUIRE(error_text<ShapeError>([&] {
              model.add(Reshape{5, 2});
            }) ==
            "layer 0 (Reshape, (5, 2)): expects 10 numbers for each sample, found 12, of the shape "
            "(None, 4, 3)");
  }
  SECTION("sizes of Residual") {
    model.add(Input{4, 3});
    REQUIRE(
        error_text<ShapeError>([&] {
          model.add(Residual{LSTM{5, return_sequences}});
        }) ==
        "layer 0 (Residual LSTM, 5 units): adds its input, (None, 4, 3), to the output of LSTM, "
        "5 units, (None, 4, 5); the two must have the same shape");
  }
  SECTION("sizes within SkipConnections") {
    model.add(Input{4, 3});
    REQUIRE(error_text<ShapeError>([&] {
              model.add(SkipConnections{LSTM{2, return_sequences},
                                        LSTM<float, 7, 4, return_sequences>{}});
            }) ==
            "layer 0 (SkipConnections, 2 layers): its layer 1 (LSTM, 4 units): expects 7 features, "
            "found 5");
  }
  REQUIRE(model.size() <= 1);
}

TEST_CASE("Around: what is no id", "[around]") {
  Sequential model{Embedding{8, 3}, LSTM{2}};
  Tensor<float> x({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  REQUIRE(model.predict(x).shape() == Shape{4, 2});
  const auto text_of = [&](float wrong) {
    x(3, 0) = wrong;
    return error_text<ValueError>([&] { (void)model.predict(x); });
  };
  const std::string rest = ", but an Embedding of 8 rows takes whole numbers from 0 to 7";
  REQUIRE(text_of(7.5f) == "x(3, 0) is 7.5" + rest);
  REQUIRE(text_of(-1) == "x(3, 0) is -1" + rest);
  REQUIRE(text_of(8) == "x(3, 0) is 8" + rest);
  REQUIRE(text_of(1e30f) == "x(3, 0) is 1e+30" + rest);
  model.compile(SGD{}, MeanSquaredError{});
  REQUIRE(error_text<ValueError>([&] {
            model.train_on_batch(x, Tensor<float>({4, 2}));
          }).starts_with("x(3, 0) is 1e+30"));

  // A step of a stream cannot throw.
  Stream stream{Sequential{Embedding{8, 3}}};
  for (const float wrong : {7.5f, -1.0f, 8.0f, 1e30f, std::nanf("")}) {
    const float* const y = stream.step(&wrong);
    for (int u = 0; u < 3; ++u) REQUIRE(std::isnan(y[u]));
  }
  const float last = 7;
  const float* const y = stream.step(&last);
  for (int u = 0; u < 3; ++u) REQUIRE(std::isfinite(y[u]));
}

TEST_CASE("Around: what cannot stream says so", "[around]") {
  const auto text_of = [](const auto& layer) {
    Sequential<> model;
    model.add(Input{2, 2});
    model.add(layer);
    return error_text<ValueError>([&] { Stream{model}; });
  };
  REQUIRE(text_of(Flatten<>{}) ==
          "Stream: layer 0 (Flatten): Flatten needs the whole sequence, which a stream does not "
          "have");
  REQUIRE(text_of(Reshape{4, 1}) ==
          "Stream: layer 0 (Reshape, (4, 1)): Reshape needs the whole sequence, which a stream "
          "does not have");
  REQUIRE(text_of(AttentionPooling{1}) ==
          "Stream: layer 0 (AttentionPooling, 1 units): AttentionPooling needs the whole sequence, "
          "which a stream does not have");
  const std::string backwards =
      "go_backwards needs the whole sequence, which a stream does not have";
  const Sequence reversed{2, return_sequences, {.go_backwards = true}};
  REQUIRE(text_of(Residual{reversed}) == "Stream: layer 0 (Residual LSTM, 2 units): " + backwards);
  REQUIRE(text_of(SkipConnections{Sequence{3}, reversed}) ==
          "Stream: layer 0 (SkipConnections, 2 layers): " + backwards);

  Sequential<> repeating;
  repeating.add(Input{2});
  repeating.add(RepeatVector{3});
  REQUIRE(error_text<ValueError>([&] { Stream{repeating}; }) ==
          "Stream: layer 0 (RepeatVector, 3 steps): RepeatVector makes a sequence of one sample, "
          "which a stream cannot");
}

TEST_CASE("Around: an encoder and a decoder, chosen while writing and while running", "[around]") {
  Sequential written{LSTM{5},
                     RepeatVector{3},
                     LSTM{4, return_sequences},
                     LayerNormalization{},
                     TimeDistributed{Dense{2}},
                     Activate{Activation::softmax}};
  Sequential<> chosen;
  std::apply([&](const auto&... layer) { (chosen.add(layer), ...); }, written.layers());
  const auto x = random_tensor<float>({6, 4, 3}, 1);
  auto y = random_tensor<float>({6, 3, 2}, 2);
  for (auto* model : {&chosen}) model->build(Input{4, 3});
  written.build(Input{4, 3});
  REQUIRE(written.output_shape({6, 4, 3}) == Shape{6, 3, 2});
  REQUIRE(test::equal(values_of(written.predict(x)), values_of(chosen.predict(x))));
  written.compile(Adam{}, MeanSquaredError{});
  chosen.compile(Adam{}, MeanSquaredError{});
  REQUIRE(written.train_on_batch(x, y).loss == chosen.train_on_batch(x, y).loss);
  REQUIRE(written.weights() == chosen.weights());
}

TEST_CASE("Around: Flatten takes the steps of the data", "[around]") {
  Sequential<> model;
  model.add(LSTM{5, return_sequences});
  model.add(Flatten<>{});
  model.add(Dense{2});
  model.compile(SGD{}, MeanSquaredError{});
  const auto x = random_tensor<float>({6, 4, 3}, 1);
  model.train_on_batch(x, Tensor<float>({6, 2}));
  REQUIRE(model.output_shape({1, 4, 3}) == Shape{1, 2});
  REQUIRE(model.parameters()[3].shape == Shape{20, 2});
  REQUIRE(error_text<StateError>([&] {
            Sequential later{Input{Dynamic, 3}, Flatten<>{}, Dense{2}};
          }) ==
          "layer 1 (Dense, 2 units): its number of inputs is not known; construct the model with "
          "Input{steps, features}");
}

TEST_CASE("Around: a mask reaches the layers behind", "[around]") {
  const auto network = [](auto first) {
    return Sequential{Input{5, 2},
                      first,
                      Dropout{0.1},
                      LayerNormalization{},
                      Activate{Activation::tanh},
                      TimeDistributed{Dense{3}},
                      Residual{LSTM{3, return_sequences}},
                      SkipConnections{LSTM{2, return_sequences}, LSTM{3, return_sequences}},
                      LSTM{4}};
  };
  auto x = random_tensor<float>({1, 5, 2}, 3);
  for (const Index t : {3, 4}) x.sequence(0).row(t).setConstant(0.5f);
  const auto model = network(Masking{0.5});
  const Tensor<float> shorter({1, 3, 2}, {x.data(), x.data() + 6});
  Sequential part{
      Input{Dynamic, 2},           std::get<0>(model.layers()), std::get<1>(model.layers()),
      std::get<2>(model.layers()), std::get<3>(model.layers()), std::get<4>(model.layers()),
      std::get<5>(model.layers()), std::get<6>(model.layers()), std::get<7>(model.layers())};
  require_close(values_of(model.predict(x)), values_of(part.predict(shorter)),
                tolerance<float>.values);
}

TEST_CASE("Around: the last step that counts", "[around]") {
  LastStep<float> layer;
  layer.build(2);
  const Tensor<float> x({3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  Mask mask(3, 2);
  mask.set(1, 1, false);
  mask.set(2, 0, false);
  mask.set(2, 1, false);
  const Trained trained(layer, x, {.mask = &mask});
  REQUIRE(test::equal(trained.y.values(), std::vector<float>{3, 4, 5, 6, 0, 0}));
  REQUIRE(test::equal(trained.dx.values(), std::vector<float>{0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
}

TEST_CASE("Around: attention where no step counts", "[around]") {
  AttentionPooling<float> layer{3};
  layer.build(2);
  layer.initialize(Random(1));
  Mask mask(1, 4);
  for (Index t = 0; t < 4; ++t) mask.set(0, t, false);
  const Trained trained(layer, random_tensor<float>({1, 4, 2}, 1), {.mask = &mask});
  for (const float value : trained.y.values()) REQUIRE(value == 0);
  for (const float value : trained.dx.values()) REQUIRE(value == 0);
}

TEST_CASE("Around: Dropout drops the same features at every step", "[around]") {
  Tensor<float> x({5, 6, 40});
  test::fill(x.values(), 1.0f);
  Dropout<float> layer{0.25, {.same_for_all_steps = true}};
  layer.build(40);
  const Trained trained(layer, x, {.random = Random(3)});
  const auto& y = trained.y;
  int dropped = 0;
  for (Index b = 0; b < 5; ++b) {
    for (Index f = 0; f < 40; ++f) {
      dropped += y(b, 0, f) == 0;
      for (Index t = 0; t < 6; ++t) REQUIRE(y(b, t, f) == y(b, 0, f));
    }
  }
  REQUIRE(dropped > 30);
  REQUIRE(dropped < 70);
  REQUIRE_FALSE(y.sequence(0) == y.sequence(1));
  REQUIRE(test::equal(trained.dx.values(), y.values()));
}

TEST_CASE("Around: GaussianNoise has its deviation", "[around]") {
  Tensor<float> x({100, 100});
  GaussianNoise<float> layer{0.5};
  layer.build(100);
  const Trained trained(layer, x, {.random = Random(3)});
  const auto y = trained.y.matrix();
  REQUIRE(y.mean() == Approx(0).margin(0.02));
  REQUIRE(y.squaredNorm() / 10'000 == Approx(0.25).margin(0.02));
}

TEST_CASE("Around: BatchNormalization follows the data it is trained on", "[around]") {
  Sequential<> model;
  model.add(BatchNormalization{{.momentum = 0.5}});
  model.add(Dense{1});
  model.compile(SGD{.learning_rate = 0}, MeanSquaredError{});
  auto x = random_tensor<float>({64, 2}, 5);
  x.matrix().col(0).array() += 3;
  x.matrix().col(1) *= 2;
  for (int step = 0; step < 30; ++step) model.train_on_batch(x, Tensor<float>({64, 1}));
  const auto parameters = model.parameters();
  REQUIRE(parameters[2].name == "batch_normalization.moving_mean");
  REQUIRE(parameters[3].name == "batch_normalization.moving_variance");
  REQUIRE_FALSE(parameters[2].trainable);
  REQUIRE_FALSE(parameters[3].trainable);
  for (Index f = 0; f < 2; ++f) {
    const Eigen::ArrayXf column = x.matrix().col(f);
    const auto at = static_cast<std::size_t>(f);
    REQUIRE(parameters[2].values[at] == Approx(column.mean()).margin(1e-5));
    REQUIRE(parameters[3].values[at] == Approx((column - column.mean()).square().mean()));
  }
  // It is found within other layers too.
  Sequential wrapped{Input{3, 2}, Residual{TimeDistributed{BatchNormalization{}}}};
  wrapped.compile(SGD{}, MeanSquaredError{});
  const auto steps = random_tensor<float>({8, 3, 2}, 5);
  wrapped.train_on_batch(steps, steps);
  const auto inner = wrapped.parameters();
  for (const float value : inner[2].values) REQUIRE(value != 0);
}

TEST_CASE("Around: streams go through all of them", "[around]") {
  const auto check = [](const auto& model, const Tensor<float>& x) {
    require_close(streamed(model, x), values_of(model.predict(x)), tolerance<float>.values);
  };
  const auto x = random_tensor<float>({1, 6, 3}, 2);
  Sequential model{Input{6, 3},
                   Masking{0.5},
                   BatchNormalization{},
                   LayerNormalization{},
                   GaussianNoise{0.1},
                   Residual{LSTM{3, return_sequences}},
                   SkipConnections{LSTM{4, return_sequences}, LSTM{2, return_sequences},
                                   Residual{LSTM{5, return_sequences}}},
                   TimeDistributed{Dense{4}},
                   Activate{Activation::softmax}};
  check(model, x);
  Sequential<> chosen;
  std::apply([&](const auto&... layer) { (chosen.add(layer), ...); }, model.layers());
  check(chosen, x);

  Sequential ids{Embedding{5, 4, {.mask_zero = true}}, LSTM{3, return_sequences}};
  const Tensor<float> words({1, 4}, {1, 4, 4, 2});
  Stream stream{ids};
  std::vector<float> y(12);
  stream.process(words.values(), y);
  require_close(y, values_of(ids.predict(words)), tolerance<float>.values);
}

TEST_CASE("Around: AllOutputs is its layers, each on the outputs of the one before", "[around]") {
  Sequential model{Input{6, 3}, AllOutputs{LSTM{4, return_sequences}, GRU{2, return_sequences},
                                           Dense{5, Activation::tanh}}};
  const auto x = random_tensor<float>({2, 6, 3}, 2);
  const Tensor<float> all = model.predict(x);
  REQUIRE(all.shape() == Shape{2, 6, 11});
  const auto& [lstm, gru, dense] = model.layer<0>().layers();
  const Tensor<float> first = Sequential{Input{6, 3}, lstm}.predict(x);
  const Tensor<float> second = Sequential{Input{6, 4}, gru}.predict(first);
  const Tensor<float> third = Sequential{Input{6, 2}, dense}.predict(second);
  Index begin = 0;
  for (const Tensor<float>* part : {&first, &second, &third}) {
    for (Index b = 0; b < 2; ++b) {
      for (Index t = 0; t < 6; ++t) {
        for (Index u = 0; u < part->features(); ++u) {
          REQUIRE(all(b, t, begin + u) == (*part)(b, t, u));
        }
      }
    }
    begin += part->features();
  }
  CHECK(model.summary().find("AllOutputs") != std::string::npos);
}

TEST_CASE("Around: Chain is its layers, one behind the other", "[around]") {
  Sequential model{Input{6, 3},
                   Chain{Dense{4, Activation::tanh}, LSTM{2, return_sequences}, Dense{5}}};
  const auto x = random_tensor<float>({2, 6, 3}, 2);
  const auto [first, lstm, last] = model.layer<0>().layers();
  const Sequential row{Input{6, 3}, first, lstm, last};
  const Tensor<float> expected = row.predict(x);
  const Tensor<float> found = model.predict(x);
  CHECK(test::equal(found.values(), expected.values()));
  CHECK(model.parameters()[2].name == "chain.1.kernel");
  CHECK(error_text<ShapeError>([] {
          (void)Sequential(Input{6, 3}, Chain{Dense{4}, Dense<float, 3, 2>{}});
        }).find("its layer 1 (Dense, 2 units): ") != std::string::npos);
  // A branch of layers that keep the rank takes samples too.
  Sequential samples{Input{3}, Residual{Chain{Dense{4, Activation::relu}, Dense{3}}}};
  CHECK(samples.predict(random_tensor<float>({2, 3}, 2)).shape() == Shape{2, 3});
}

TEST_CASE("Around: a state goes on within Residual and SkipConnections", "[around]") {
  const Sequential model{Input{Dynamic, 3}, Residual{LSTM{3, return_sequences}},
                         SkipConnections{LSTM{4, return_sequences}, GRU{2, return_sequences}},
                         Chain{LSTM{2, return_sequences}, GRU{3, return_sequences}}};
  const auto x = random_tensor<float>({2, 6, 3}, 2);
  const auto whole = model.predict(x);
  State<float> state;
  for (const Index first : {0, 4}) {
    const Index steps = first == 0 ? 4 : 2;
    Tensor<float> part({2, steps, 3});
    for (Index b = 0; b < 2; ++b) part.sequence(b) = x.sequence(b).middleRows(first, steps);
    const auto y = model.predict(part, {.state = &state});
    for (Index b = 0; b < 2; ++b) {
      for (Index t = 0; t < steps; ++t) {
        for (Index u = 0; u < y.features(); ++u) {
          REQUIRE(y(b, t, u) == Approx(whole(b, first + t, u)).margin(1e-6));
        }
      }
    }
  }
}
