#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/series.hpp"
#include "support/values_of.hpp"

// Samples that come from a source: the same training as from memory, checked batch by batch.

namespace {

using namespace strata;
using strata::test::Contains;
using strata::test::error_text;
using strata::test::Series;
using strata::test::sines;
using strata::test::values_of;

using Options = FitOptions<float>;

Sequential<> source_model() {
  Sequential<> model;
  model.add(LSTM{4, {.dropout = 0.2}});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = 0.01}, MeanSquaredError{},
                {MeanAbsoluteError{}, Weighted{MeanAbsoluteError{}}});
  return model;
}

/// Samples that are handed out as copies, one by one. `steps` may shorten a batch.
struct Copies {
  const Series<float>* data;
  Mask mask = {};
  std::vector<float> weights = {};
  Index faulty = -1;  ///< The sample with a number that is not finite.

  Index size() const { return data->x.batch(); }
  void fill(std::span<const Index> numbers, Batch<float>& batch) const {
    CHECK(batch.mask.empty());
    CHECK(batch.sample_weight.empty());
    const auto count = static_cast<Index>(numbers.size());
    const Index steps = data->x.steps();
    batch.x.resize({count, steps, 1});
    batch.y.resize({count, 1});
    if (!mask.empty()) batch.mask = Mask(count, steps);
    std::vector<float> own;
    for (Index i = 0; i < count; ++i) {
      const Index number = numbers[static_cast<std::size_t>(i)];
      for (Index t = 0; t < steps; ++t) {
        batch.x(i, t, 0) = data->x(number, t, 0);
        if (!mask.empty()) batch.mask.set(i, t, mask(number, t));
      }
      batch.y(i, 0) = data->y(number, 0);
      if (number == faulty) batch.y(i, 0) = std::numeric_limits<float>::infinity();
      if (!weights.empty()) own.push_back(weights[static_cast<std::size_t>(number)]);
    }
    batch.sample_weight = own;
  }
};

struct SourceTraining {
  std::vector<float> weights;
  std::vector<double> figures;

  explicit SourceTraining(const Sequential<>& model, const History& history)
      : weights(model.weights()) {
    for (const std::string& name : history.names()) {
      for (const double value : history[name]) figures.push_back(value);
    }
  }
  bool operator==(const SourceTraining&) const = default;
};

SourceTraining from_memory(const Series<float>& data, const Options& options) {
  auto model = source_model();
  const History history = model.fit(data.x, data.y, options);
  return SourceTraining(model, history);
}
template <class Source>
SourceTraining from_source(const Source& source, const Options& options) {
  auto model = source_model();
  const History history = model.fit(source, options);
  return SourceTraining(model, history);
}

}  // namespace

TEST_CASE("fit: a source gives the bits of the same samples in memory", "[fit][source]") {
  const auto data = sines<float>(23);
  const auto validation = sines<float>(7, 6, 2);
  Options options{.epochs = 3, .batch_size = 4, .verbose = 0};
  SECTION("in the order of a shuffle") {}
  SECTION("in their own order") { options.shuffle = false; }
  SECTION("with a share for validation") { options.validation_split = 0.3; }
  SECTION("with other samples for validation") {
    options.validation_data = {validation.x, validation.y};
  }
  SECTION("in windows") { options.truncate = 2; }
  SECTION("with weights of classes refused by a loss without classes") {
    options.class_weight = {{0, 2.0}};
    const std::string refusal = "class_weight: the loss mse has no classes";
    CHECK(error_text<ValueError>([&] { (void)from_memory(data, options); }) == refusal);
    CHECK(error_text<ValueError>([&] { (void)from_source(Copies{&data}, options); }) == refusal);
    return;
  }
  const SourceTraining expected = from_memory(data, options);
  REQUIRE(from_source(Copies{&data}, options) == expected);
  for (const Index ahead : {1, 3, 50}) {
    options.read_ahead = ahead;
    REQUIRE(from_source(Copies{&data}, options) == expected);
  }
}

TEST_CASE("fit: masks and weights come with the batches of a source", "[fit][source]") {
  const auto data = sines<float>(11);
  Mask mask(11, 6);
  for (Index b = 0; b < 11; ++b) mask.set(b, 5, b % 3 != 0);
  std::vector<float> weights;
  for (int b = 0; b < 11; ++b) weights.push_back(0.25f * static_cast<float>(b));
  Options options{.epochs = 2, .batch_size = 4, .validation_split = 0.3, .verbose = 0};
  Options in_memory = options;
  in_memory.mask = mask;
  in_memory.sample_weight = weights;
  const SourceTraining expected = from_memory(data, in_memory);
  REQUIRE(from_source(Copies{&data, mask, weights}, options) == expected);
  REQUIRE(from_memory(data, options).weights != expected.weights);
}

TEST_CASE("fit: validation data may be a source", "[fit][source]") {
  const auto data = sines<float>(12);
  const auto validation = sines<float>(7, 6, 2);
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6, 7};
  Options options{.epochs = 2, .batch_size = 4, .verbose = 0};
  options.validation_data = {{validation.x, validation.y}};
  options.validation_sample_weight = weights;
  const SourceTraining expected = from_memory(data, options);
  options.validation_sample_weight = {};
  options.validation_data = Copies{&validation, {}, weights};
  REQUIRE(from_memory(data, options) == expected);
}

TEST_CASE("evaluate and predict take a source", "[source]") {
  const auto data = sines<float>(10);
  std::vector<float> weights(10, 1);
  weights[3] = 4;
  auto model = source_model();
  CHECK(error_text<StateError>([&] { (void)model.predict(Copies{&data}); }) !=
        "(nothing was thrown)");
  model.fit(data.x, data.y, {.verbose = 0});
  const Evaluation expected =
      model.evaluate(data.x, data.y, {.batch_size = 3, .sample_weight = weights});
  const Evaluation found = model.evaluate(Copies{&data, {}, weights}, {.batch_size = 3});
  REQUIRE(found.loss == expected.loss);
  REQUIRE(found["weighted_mae"] == expected["weighted_mae"]);
  REQUIRE(found["weighted_mae"] != found["mae"]);
  const Tensor<float> y = model.predict(Copies{&data}, {.batch_size = 3});
  REQUIRE(y.shape() == Shape{10, 1});
  REQUIRE(test::equal(y.values(), values_of(model.predict(data.x, {.batch_size = 3}))));
}

TEST_CASE("A source may fill batches of different lengths", "[fit][source]") {
  struct Lengths {
    Index size() const { return 6; }
    void fill(std::span<const Index> numbers, Batch<float>& batch) const {
      const auto count = static_cast<Index>(numbers.size());
      batch.x.resize({count, 2 + numbers.front(), 1});
      batch.y.resize({count, batch.x.steps(), 1});
      test::fill(batch.x.values(), 0.5f);
      test::fill(batch.y.values(), 1.0f);
    }
  };
  Sequential<> model;
  model.add(LSTM{3, return_sequences});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = 0.1}, MeanSquaredError{});
  const History history =
      model.fit(Lengths{}, {.epochs = 10, .batch_size = 2, .shuffle = false, .verbose = 0});
  CHECK(history["loss"].back() < 0.5 * history["loss"].front());
  CHECK(error_text<ShapeError>([&] { (void)model.predict(Lengths{}, {.batch_size = 2}); }) ==
        "predict: the outputs of sample 2 have the shape (6, 4, 1), those before it (6, 2, 1); "
        "fill batches with sequences of one length");
}

TEST_CASE("fit: a batch of a source that does not fit ends the training", "[fit][source]") {
  const auto data = sines<float>(12);
  Copies source{&data};
  source.faulty = 9;
  Options options{.batch_size = 4, .shuffle = false, .verbose = 0};
  options.read_ahead = GENERATE(0, 2);
  auto model = source_model();
  REQUIRE(error_text<ValueError>([&] { model.fit(source, options); }) ==
          "the batch of samples 8 ... 11: y(1, 0) is infinite");

  // Two batches have been trained, and the model goes on from there.
  auto other = source_model();
  const Series<float> first{data.x.rows(0, 8), data.y.rows(0, 8)};
  other.fit(first.x, first.y, options);
  REQUIRE(model.weights() == other.weights());
  model.fit(data.x, data.y, options);

  SECTION("the first batch before anything changes") {
    auto fresh = source_model();
    source.faulty = 2;
    REQUIRE(error_text<ValueError>([&] { fresh.fit(source, options); }) ==
            "the batch of samples 0 ... 3: y(2, 0) is infinite");
    CHECK(!fresh.is_built());
  }
}

TEST_CASE("fit: what a source throws reaches the caller", "[fit][source]") {
  struct Broken {
    Index size() const { return 8; }
    void fill(std::span<const Index> numbers, Batch<float>& batch) const {
      if (numbers.front() >= 4) throw std::runtime_error("the disk is gone");
      batch.x = Tensor<float>({static_cast<Index>(numbers.size()), 3, 1});
      batch.y = Tensor<float>({static_cast<Index>(numbers.size()), 1});
    }
  };
  auto model = source_model();
  Options options{.batch_size = 2, .shuffle = false, .verbose = 0};
  options.read_ahead = GENERATE(0, 1, 5);
  REQUIRE(error_text<std::runtime_error>([&] { model.fit(Broken{}, options); }) ==
          "the disk is gone");
}

TEST_CASE("fit: sources and options that are refused", "[fit][source]") {
  const auto data = sines<float>(8);
  auto model = source_model();
  const auto refused = [&](const auto& source, const Options& options) {
    try {
      model.fit(source, options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("(nothing was thrown)");
  };
  const Copies source{&data};
  CHECK(refused(source, {.mask = Mask(8, 6), .verbose = 0}) ==
        "fit: mask is for samples in memory; a source sets batch.mask");
  CHECK(refused(source, {.sample_weight = {std::vector<float>(8, 1)}, .verbose = 0}) ==
        "fit: sample_weight is for samples in memory; a source sets batch.sample_weight");
  CHECK(refused(source, {.validation_data = source, .validation_mask = Mask(8, 6), .verbose = 0}) ==
        "fit: validation_mask is for samples in memory; a source sets batch.mask");
  CHECK(refused(source, {.read_ahead = -1, .verbose = 0}) ==
        "fit: read_ahead must be at least 0, found -1");
  CHECK(refused(source, {.validation_split = 0.99, .verbose = 0}) ==
        "fit: validation_split leaves 0 of 8 samples for training");
  struct None {
    Index size() const { return 0; }
    void fill(std::span<const Index>, Batch<float>&) const {}
  };
  CHECK(refused(None{}, {.verbose = 0}) == "fit: the source has no samples");
  CHECK(refused(source, {.validation_data = None{}, .verbose = 0}) ==
        "fit: the source of validation_data has no samples");
  struct Short {
    Index size() const { return 8; }
    void fill(std::span<const Index>, Batch<float>& batch) const {
      batch.x = Tensor<float>({1, 3, 1});
      batch.y = Tensor<float>({1, 1});
    }
  };
  CHECK(
      refused(Short{}, {.verbose = 0}) ==
      "the batch of samples 0 ... 7: the source was asked for 8 samples, and has filled x with 1");
  struct Nothing {
    Index size() const { return 8; }
    void fill(std::span<const Index>, Batch<float>&) const {}
  };
  CHECK(refused(Nothing{}, {.verbose = 0}) == Contains{"filled x with 0"});
}

TEST_CASE("windows: the parts of a series and the steps behind them", "[source]") {
  // Two series of five steps with two features; series s, step t, feature f is 100 s + 10 t + f.
  Tensor<float> series({2, 5, 2});
  for (Index s = 0; s < 2; ++s) {
    for (Index t = 0; t < 5; ++t) {
      for (Index f = 0; f < 2; ++f) series(s, t, f) = static_cast<float>(100 * s + 10 * t + f);
    }
  }
  const auto rows = [](const auto& source, std::vector<Index> numbers) {
    Batch<float> batch;
    source.fill(numbers, batch);
    return batch;
  };
  const auto all = windows(series, {.length = 2, .horizon = 2});
  REQUIRE(all.size() == 4);
  const Batch<float> batch = rows(all, {3, 0});
  REQUIRE(batch.x.shape() == Shape{2, 2, 2});
  REQUIRE(test::equal(batch.x.values(), std::vector<float>{110, 111, 120, 121, 0, 1, 10, 11}));
  REQUIRE(batch.y.shape() == Shape{2, 4});
  REQUIRE(test::equal(batch.y.values(), std::vector<float>{130, 131, 140, 141, 20, 21, 30, 31}));
  REQUIRE(all.targets().shape() == Shape{4, 4});
  CHECK(all.first_step(3) == 1);

  const auto some =
      windows(series, {.length = 1, .horizon = 1, .stride = 2, .targets = {1}, .begin = 1});
  REQUIRE(some.size() == 4);
  REQUIRE(test::equal(values_of(some.targets()), std::vector<float>{21, 41, 121, 141}));
  const auto early = windows(series, {.length = 2, .end = 3});
  REQUIRE(early.size() == 2);
  REQUIRE(test::equal(values_of(early.targets()), std::vector<float>{20, 21, 120, 121}));

  const auto refused = [&](const WindowOptions& options) {
    try {
      (void)windows(series, options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("(nothing was thrown)");
  };
  CHECK(refused({.length = 4, .horizon = 2}) ==
        "windows: a window of 4 steps and 2 steps behind it do not fit into 5 steps");
  CHECK(refused({.length = std::numeric_limits<Index>::max(), .horizon = 2})
            .starts_with("windows: a window of 9223372036854775807 steps"));
  CHECK(refused({.length = 0}) == "windows: length must be at least 1, found 0");
  CHECK(refused({.length = 1, .horizon = 0}) == "windows: horizon must be at least 1, found 0");
  CHECK(refused({.length = 1, .stride = -1}) == "windows: stride must be at least 1, found -1");
  CHECK(refused({.length = 1, .targets = {2}}) == "windows: the target 2 is none of 2 features");
  CHECK(refused({.length = 1, .begin = 3, .end = 9}) ==
        "windows: the steps from 3 to 9 are not a part of 5 steps");
  const Tensor<float> flat({3, 4});
  CHECK(error_text<ShapeError>([&] { (void)windows(flat, {.length = 1}); }) ==
        "windows: expects series (B, T, F), found (3, 4)");
}

TEST_CASE("Standardizer: there and back, and as layers of a model", "[source]") {
  Tensor<double> series({1, 50, 3});
  for (Index t = 0; t < 50; ++t) {
    const auto time = static_cast<double>(t);
    series(0, t, 0) = 1000 + 50 * std::sin(time);
    series(0, t, 1) = 0.001 * time;
    series(0, t, 2) = 7;
  }
  Standardizer<double> standard;
  CHECK(error_text<StateError>([&] { (void)standard.transform(series); }) ==
        "Standardizer: call fit first");
  standard.fit(series, {.end = 40});
  const Tensor<double> scaled = standard.transform(series);
  for (Index f = 0; f < 3; ++f) {
    double sum = 0, squares = 0;
    for (Index t = 0; t < 40; ++t) {
      sum += scaled(0, t, f);
      squares += scaled(0, t, f) * scaled(0, t, f);
    }
    // Sums of 40 numbers of size 1, each with some 1e-13 from the subtraction of 1000.
    CHECK(std::abs(sum) < 1e-11);
    CHECK(std::abs(squares - (f == 2 ? 0 : 40)) < 1e-10);
  }
  const Tensor<double> back = standard.inverse(scaled);
  for (Index i = 0; i < series.size(); ++i) {
    // The mean goes off and comes back: an error of its size, also where the value is near zero.
    const double mean = standard.mean()[static_cast<std::size_t>(i % 3)];
    const double size = std::abs(series.data()[i]) + mean;
    REQUIRE(std::abs(back.data()[i] - series.data()[i]) <= 1e-12 * size);
  }

  // Forecasts of two steps, flat.
  const Tensor<double> forecast({1, 6}, {0, 0, 0, 1, 1, 1});
  const Tensor<double> plain = standard.inverse(forecast);
  for (std::size_t f = 0; f < 3; ++f) {
    const auto place = static_cast<Index>(f);
    CHECK(plain(0, place) == standard.mean()[f]);
    CHECK(plain(0, 3 + place) == standard.deviation()[f] + standard.mean()[f]);
  }
  const Sequential layers{Input{Dynamic, 3}, Normalization<double>(standard.layer())};
  const Sequential inverse{Input{6}, Normalization<double>(standard.inverse_layer(2))};
  const Tensor<double> by_layer = layers.predict(series), by_inverse = inverse.predict(forecast);
  for (Index i = 0; i < scaled.size(); ++i) {
    REQUIRE(std::abs(by_layer.data()[i] - scaled.data()[i]) < 1e-12);
  }
  for (Index i = 0; i < plain.size(); ++i) {
    REQUIRE(std::abs(by_inverse.data()[i] - plain.data()[i]) <= 1e-12 * std::abs(plain.data()[i]));
  }
  CHECK(error_text<ShapeError>([&] {
          (void)standard.inverse(Tensor<double>({2, 4}));
        }) == "Standardizer: was fitted to 3 features, found (2, 4)");
  CHECK(error_text<ValueError>([&] { standard.fit(series, {.begin = 5, .end = 60}); }) ==
        "Standardizer: the steps from 5 to 60 are not a part of 50 steps");
  series(0, 3, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_text<ValueError>([&] { standard.fit(series); }) ==
        "Standardizer: feature 1 has numbers that are infinite or not a number");
  CHECK(standard.mean()[2] == 7);
}
