#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/series.hpp"

// Weights of samples, steps and classes beyond what Keras can do, and those that are refused.
// tests/unit/golden/golden_sample_weights.cpp compares with Keras.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

using Options = FitOptions<float>;

Sequential<> weighted_steps(Loss<float> loss = MeanSquaredError{}) {
  Sequential<> model;
  model.add(LSTM{3, return_sequences});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = 0.05}, std::move(loss));
  return model;
}

std::vector<float> weights_after(Sequential<> model, const Tensor<float>& x, const Tensor<float>& y,
                                 Options options) {
  options.verbose = 0;
  model.fit(x, y, options);
  return model.weights();
}

}  // namespace

TEST_CASE("The weight of a sample is that of all its steps", "[fit][weights]") {
  const auto data = sines<float>(6);
  const std::vector<float> of_samples = {1, 0, 2, 0.5f, 3, 1};
  Tensor<float> of_steps({6, 6});
  for (Index b = 0; b < 6; ++b) {
    for (Index t = 0; t < 6; ++t) of_steps(b, t) = of_samples[static_cast<std::size_t>(b)];
  }
  const auto with = [&](SampleWeights<float> weights, Index truncate) {
    return weights_after(
        weighted_steps(), data.x, data.x,
        {.epochs = 2, .batch_size = 4, .sample_weight = std::move(weights), .truncate = truncate});
  };
  REQUIRE(with(of_samples, 0) == with(of_steps, 0));
  REQUIRE(with(of_samples, 2) == with(of_steps, 2));
  REQUIRE(with(of_samples, 0) != with({}, 0));
}

TEST_CASE("Weights of one change nothing", "[fit][weights]") {
  const auto data = sines<float>(7);
  const Options options{.epochs = 2, .batch_size = 3};
  Options weighted = options;
  weighted.sample_weight = std::vector<float>(7, 1);
  REQUIRE(weights_after(weighted_steps(), data.x, data.x, weighted) ==
          weights_after(weighted_steps(), data.x, data.x, options));
}

TEST_CASE("Weights of windows are those of their steps", "[fit][weights]") {
  // Nothing is learned from steps that weigh nothing, in whichever window they are.
  const auto data = sines<float>(4);
  Tensor<float> weights({4, 6}), other = data.x;
  for (Index b = 0; b < 4; ++b) {
    for (Index t = 0; t < 6; ++t) {
      weights(b, t) = t % 2 == 0 ? 1.0f : 0.0f;
      if (t % 2 == 1) other(b, t, 0) += 10;
    }
  }
  const Options options{.batch_size = 4, .sample_weight = weights, .truncate = 3};
  REQUIRE(weights_after(weighted_steps(), data.x, data.x, options) ==
          weights_after(weighted_steps(), data.x, other, options));
}

TEST_CASE("A loss of whole sequences takes the weights of samples", "[fit][weights]") {
  const Loss<double> ctc = CTC{};
  Tensor<double> logits({3, 4, 3});
  Random random(1);
  for (double& value : logits.values()) value = random.uniform();
  const Tensor<double> labels({3, 2}, {1, 2, 2, 0, 1, 1});
  const std::vector<double> weights = {2, 0.5, 0};
  Tensor<double> gradient, one;
  const double weighted = ctc(logits, labels, &gradient, {}, {}, weights);
  double expected = 0;
  for (Index b = 0; b < 3; ++b) {
    const double weight = weights[static_cast<std::size_t>(b)];
    const Tensor<double> own = logits.rows(b, 1);
    expected += weight * ctc(own, labels.rows(b, 1), &one) / 3;
    for (Index i = 0; i < one.size(); ++i) {
      const double found = gradient.data()[b * one.size() + i];
      // One division and one product more or less.
      REQUIRE(std::abs(found - one.data()[i] * weight / 3) < 1e-15);
    }
  }
  REQUIRE(std::abs(weighted - expected) < 1e-14);
}

TEST_CASE("Weights of classes and weights of samples are multiplied", "[fit][weights]") {
  const auto data = sines<float>(6);
  Tensor<float> classes({6, 6}), both({6, 6});
  const std::vector<float> of_samples = {1, 2, 3, 4, 5, 6};
  for (Index b = 0; b < 6; ++b) {
    for (Index t = 0; t < 6; ++t) {
      classes(b, t) = static_cast<float>((b + t) % 3);
      both(b, t) = of_samples[static_cast<std::size_t>(b)] * (classes(b, t) == 2 ? 0.5f : 1.0f);
    }
  }
  const auto model = [] {
    Sequential<> stack;
    stack.add(LSTM{3, return_sequences});
    stack.add(Dense{3, Activation::softmax});
    stack.compile(Adam{}, SparseCategoricalCrossentropy{});
    return stack;
  };
  REQUIRE(weights_after(model(), data.x, classes,
                        {.sample_weight = of_samples, .class_weight = {{2, 0.5}}}) ==
          weights_after(model(), data.x, classes, {.sample_weight = both}));
  // As in Keras, validation knows no weights of classes.
  auto weighted = model();
  const History history = weighted.fit(data.x, classes,
                                       {.class_weight = {{0, 7}, {1, 7}, {2, 7}},
                                        .validation_data = {data.x, classes},
                                        .verbose = 0});
  REQUIRE(history["val_loss"].back() == weighted.evaluate(data.x, classes).loss);
}

TEST_CASE("Rows of zeros among one-hot targets have no class", "[fit][weights]") {
  const Tensor<float> x({1, 3, 1}, {0.1f, 0.2f, 0});
  const Tensor<float> y({1, 3, 2}, {1, 0, 0, 1, 0, 0});
  Sequential<> model;
  model.add(Masking{});
  model.add(LSTM{2, return_sequences});
  model.add(Dense{2, Activation::softmax});
  model.compile(Adam{}, CategoricalCrossentropy{});
  REQUIRE_NOTHROW(model.fit(x, y, {.class_weight = {{1, 2.0}}, .verbose = 0}));
}

TEST_CASE("Weights that are refused, before anything changes", "[fit][weights]") {
  const auto data = sines<float>(4);
  const auto refused = [&](Sequential<> model, const Tensor<float>& y, Options options) {
    options.verbose = 0;
    std::string text = "(nothing was thrown)";
    try {
      model.fit(data.x, y, options);
    } catch (const Error& error) {
      text = error.what();
    }
    CHECK(!model.is_built());
    return text;
  };
  const auto one_output = [](Loss<float> loss, Activation activation = Activation::linear,
                             Index units = 1) {
    Sequential<> model;
    model.add(LSTM{3});
    model.add(Dense{units, activation});
    model.compile(Adam{}, std::move(loss));
    return model;
  };
  const auto regression = [&] { return one_output(MeanSquaredError{}); };
  const float infinite = std::numeric_limits<float>::infinity();

  CHECK(refused(regression(), data.y, {.sample_weight = {std::vector<float>(3, 1)}}) ==
        "sample_weight: x has 4 samples, found 3 weights");
  CHECK(refused(regression(), data.y, {.sample_weight = Tensor<float>({4, 6})}) ==
        "sample_weight: the model's output has the shape (4, 1), so weights have the shape (4, 1); "
        "found (4, 6)");
  CHECK(refused(weighted_steps(), data.x, {.sample_weight = Tensor<float>({4, 5})}) ==
        "sample_weight: the model's output has the shape (4, 6, 1), so weights have the shape (4, "
        "1) or (4, 6); found (4, 5)");
  CHECK(refused(regression(), data.y, {.sample_weight = {{1, 1, infinite, 1}}}) ==
        "sample_weight: the weight of sample 2 is infinite");
  Tensor<float> steps({4, 6});
  steps(2, 3) = std::numeric_limits<float>::quiet_NaN();
  CHECK(refused(weighted_steps(), data.x, {.sample_weight = steps}) ==
        "sample_weight: the weight of sample 2, step 3 is not a number");
  CHECK(error_text<ShapeError>([&] {
          SampleWeights<float>(Tensor<float>({4, 6, 2}));
        }) == "sample weights have the shape (B,), (B, T) or (B, T, 1), found (4, 6, 2)");
  CHECK(refused(regression(), data.y, {.validation_sample_weight = {{1, 1, 1, 1}}}) ==
        "fit: validation_sample_weight needs validation_data");
  CHECK(refused(regression(), data.y,
                {.validation_data = {data.x, data.y}, .validation_sample_weight = {{1, 1}}}) ==
        "validation_sample_weight: x has 4 samples, found 2 weights");

  Sequential<> ctc;
  ctc.add(LSTM{3, return_sequences});
  ctc.add(Dense{3});
  ctc.compile(Adam{}, CTC{});
  const Tensor<float> labels({4, 1}, {1, 2, 1, 2});
  CHECK(refused(ctc, labels, {.sample_weight = Tensor<float>({4, 6})}) ==
        "sample_weight: the loss ctc sees whole sequences, so it takes one weight for each sample, "
        "(4, 1); found (4, 6)");
  CHECK(refused(ctc, labels, {.class_weight = {{1, 2.0}}}) ==
        "class_weight: the loss ctc has no classes");

  const Tensor<float> classes({4, 1}, {0, 1, 2, 1});
  const auto sparse = [&] {
    return one_output(SparseCategoricalCrossentropy{}, Activation::softmax, 3);
  };
  CHECK(refused(sparse(), classes, {.class_weight = {{3, 1.0}}}) ==
        "class_weight: class 3 does not exist; the classes are 0 to 2");
  CHECK(refused(sparse(), classes, {.class_weight = {{-1, 1.0}}}) ==
        "class_weight: class -1 does not exist; the classes are 0 to 2");
  CHECK(refused(sparse(), classes, {.class_weight = {{1, infinite}}}) ==
        "class_weight: the weight of class 1 is infinite");
  const Tensor<float> shares({4, 1}, {0, 1, 0.25f, 1});
  CHECK(refused(one_output(BinaryCrossentropy{}, Activation::sigmoid), shares,
                {.class_weight = {{1, 2.0}}}) ==
        "class_weight: y(2, 0) is 0.25, which is no class, 0 or 1");
  const Tensor<float> several({4, 3}, {1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1});
  CHECK(refused(one_output(BinaryCrossentropy{}, Activation::sigmoid, 3), several,
                {.class_weight = {{1, 2.0}}}) ==
        "class_weight: y(2, 0) has no single class: its largest value, 1, is there more than once");
}

TEST_CASE("evaluate and train_on_batch refuse weights that do not fit", "[weights]") {
  const auto data = sines<float>(4);
  auto model = weighted_steps();
  model.fit(data.x, data.x, {.verbose = 0});
  const auto before = model.weights();
  const std::vector<float> three(3, 1);
  const std::string expected = "sample_weight: x has 4 samples, found 3 weights";
  CHECK(error_text<ShapeError>(
            [&] { (void)model.evaluate(data.x, data.x, {.sample_weight = three}); }) == expected);
  CHECK(error_text<ShapeError>(
            [&] { model.train_on_batch(data.x, data.x, {.sample_weight = three}); }) == expected);
  CHECK(error_text<ShapeError>([&] {
          (void)model.test_on_batch(data.x, data.x, {.sample_weight = three});
        }) == expected);
  CHECK(error_text<ValueError>([&] {
          model.train_on_batch(data.x, data.x, {.class_weight = {{0, 2.0}}});
        }) == "class_weight: the loss mse has no classes");
  CHECK(model.weights() == before);
}
