#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <strata/strata.hpp>

// Compiled with -ffast-math, which promises the compiler that no number is infinite or not a
// number. strata's checks for such numbers, and its results with infinities, hold all the same.

namespace {

using namespace strata;

int failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  std::printf("failed: %s\n", what);
  ++failures;
}

/// Whether f throws an Error of which the text begins so.
template <class F>
void check_throws(F f, const std::string& begin, const char* what) {
  try {
    f();
  } catch (const Error& error) {
    const std::string text = error.what();
    if (text.starts_with(begin)) return;
    std::printf("failed: %s: %s\n", what, error.what());
    ++failures;
    return;
  }
  check(false, what);
}

/// Read where the compiler cannot see the number.
template <class Scalar>
Scalar hidden(Scalar value) {
  volatile Scalar place = value;
  return place;
}

const float no_number = hidden(std::numeric_limits<float>::quiet_NaN());
const float infinite = hidden(std::numeric_limits<float>::infinity());

/// By its bits, as integers.
bool is_finite(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits & 0x7f800000u) != 0x7f800000u;
}
bool all_finite(const std::vector<float>& values) {
  for (const float value : values) {
    if (!is_finite(value)) return false;
  }
  return true;
}

Sequential<> forecaster() {
  Sequential<> model;
  model.add(Input{4, 1});
  model.add(LSTM{8, return_sequences});
  model.add(LSTM{8});
  model.add(Dense{1});
  model.initialize(7);
  return model;
}

Tensor<float> inputs() {
  Tensor<float> x({8, 4, 1});
  for (Index i = 0; i < x.size(); ++i) x.values()[static_cast<std::size_t>(i)] = float(i % 7) / 7;
  return x;
}

Tensor<float> targets() {
  Tensor<float> y({8, 1});
  for (Index i = 0; i < 8; ++i) y(i, 0) = float(i % 3);
  return y;
}

void check_data() {
  auto model = forecaster();
  model.compile(Adam{}, MeanSquaredError{});
  auto x = inputs();
  auto y = targets();
  x(1, 2, 0) = no_number;
  const auto fit = [&] { model.fit(x, y, {.verbose = 0}); };
  check_throws(fit, "x(1, 2, 0) is not a number", "NaN in x");
  check_throws([&] { (void)model.predict(x); }, "x(1, 2, 0) is not a number", "NaN to predict");
  x(1, 2, 0) = -infinite;
  check_throws(fit, "x(1, 2, 0) is infinite", "infinity in x");
  x = inputs();
  y(3, 0) = no_number;
  check_throws(fit, "y(3, 0) is not a number", "NaN in y");
}

struct CountEpochs {
  int* count;
  void on_epoch_end(TrainingRun&, int, Logs&) const { ++*count; }
};

void check_early_stopping() {
  auto model = forecaster();
  model.compile(Adam{.learning_rate = 1e-3}, MeanSquaredError{});
  int epochs = 0;
  const auto history = model.fit(
      inputs(), targets(),
      {.epochs = 12,
       .callbacks = {EarlyStopping{.monitor = "loss", .patience = 2}, CountEpochs{&epochs}},
       .verbose = 0});
  check(history["loss"].back() < history["loss"].front(), "the loss falls");
  check(epochs == 12, "EarlyStopping goes on while the loss falls");
}

void check_divergence() {
  for (const double rate : {1e25, 1e37}) {
    auto model = forecaster();
    model.compile(SGD{.learning_rate = rate}, MeanSquaredError{});
    auto far = targets();
    for (float& value : far.values()) value = 1e3f;
    bool threw = false;
    try {
      model.fit(inputs(), far, {.epochs = 20, .verbose = 0});
    } catch (const ValueError&) {
      threw = true;
    }
    check(threw, "a training that diverges says so");
    check(all_finite(model.weights()), "and leaves good weights");
  }
  auto model = forecaster();
  const auto before = model.weights();
  Trainer trainer{model, SGD{}, MeanSquaredError{}};
  auto far = targets();
  for (float& value : far.values()) value = 1e38f;
  bool threw = false;
  try {
    for (int i = 0; i < 3; ++i) trainer.step(inputs(), far);
  } catch (const ValueError&) {
    threw = true;
  }
  check(threw, "a gradient that overflows is found");
  check(all_finite(model.weights()), "and changes no weights");

  std::vector<float> weights(2, 1);
  const std::vector<Parameter<float>> parameters{{"w", {2}, weights}};
  Optimizer<float> optimizer = Adam{};
  std::vector<float> gradient{1, infinite};
  check_throws([&] { optimizer.update(parameters, gradient); }, "a gradient is not finite",
               "an infinite gradient");
  gradient = {1e25f, 1e25f};
  optimizer.update(parameters, gradient);
  gradient = {0.1f, 0.1f};
  optimizer.update(parameters, gradient);
  check(all_finite(weights) && weights[0] > 0.99f, "the memory of Adam stays finite");
}

void check_settings() {
  check_throws([] { (void)Optimizer<float>(Adam{.beta_1 = double(no_number)}); }, "Adam: beta_1",
               "a beta of NaN");
  check_throws([] { (void)Optimizer<float>(SGD{.clip = {.norm = double(no_number)}}); },
               "SGD: .clip.norm", "a clip of NaN");
  check_throws([] { (void)Optimizer<float>(SGD{.learning_rate = double(infinite)}); },
               "the learning rate", "an infinite learning rate");
  check_throws([] { (void)GaussianNoise{double(no_number)}; }, "GaussianNoise", "noise of NaN");
  check_throws([] { (void)Dropout{double(no_number)}; }, "Dropout", "dropout of NaN");
}

/// The same numbers as without -ffast-math, which this program writes with --values when it is
/// compiled without. Sums of some ten numbers around 1 are rounded in another order.
void check_inference() {
  const auto y = forecaster().predict(inputs());
  const float expected[] = {0.00586607819f, 0.0245266892f, 0.0113067599f, 0.0194892306f,
                            0.0180454887f,  0.0130019151f, 0.025862325f,  0.00586607819f};
  for (Index i = 0; i < 8; ++i) {
    check(std::abs(y(i, 0) - expected[i]) < 1e-6f, "predictions are those of the normal build");
  }
}

void check_infinite_logits() {
  const std::vector<float> logits{-infinite, 1, -infinite, 2};
  Random random(3);
  int seen[4] = {};
  for (int i = 0; i < 200; ++i) ++seen[sample(logits, {.from_logits = true}, random)];
  check(seen[0] == 0 && seen[2] == 0, "a class of minus infinity is not drawn");
  check(seen[1] > 20 && seen[3] > seen[1], "the others are, by their probability");
  check_throws(
      [&] {
        (void)sample(std::vector<float>{1, no_number}, {.from_logits = true}, random);
      },
      "sample: the logit of class 1", "a logit of NaN");
  check_throws(
      [&] {
        (void)sample(std::vector<float>{1, infinite}, {.from_logits = true}, random);
      },
      "sample: the logit of class 1", "an infinite logit");
  const std::vector<float> none{-infinite, -infinite};
  check_throws([&] { (void)sample(none, {.from_logits = true}, random); }, "sample: no class",
               "no class at all");

  Sequential<> softmax;
  softmax.add(Input{3});
  softmax.add(Activate{Activation::softmax});
  const auto p = softmax.predict(Tensor<float>({1, 3}, {-3e38f, 1, 1}));
  check(p(0, 0) == 0 && std::abs(p(0, 1) - 0.5f) < 1e-6f, "softmax of a very small logit");

  Sequential<> words;
  words.add(Embedding{5, 2});
  words.build(Input{Dynamic});
  check_throws(
      [&] {
        (void)words.predict(Tensor<float>({1, 2}, {1, no_number}));
      },
      "x(0, 1)", "an id of NaN");
  const auto embedding = [&](float id) {
    Stream stream{words};
    return stream.step(&id)[0];
  };
  check(!is_finite(embedding(no_number)), "a stream's id of NaN gives NaN");
}

}  // namespace

int main(int count, char**) {
  if (count > 1) {
    const auto y = forecaster().predict(inputs());
    for (const float value : y.values()) std::printf("%.9gf, ", static_cast<double>(value));
    std::printf("\n");
    return 0;
  }
  check_data();
  check_early_stopping();
  check_divergence();
  check_settings();
  check_inference();
  check_infinite_logits();
  if (failures == 0) std::printf("all hold\n");
  return failures == 0 ? 0 : 1;
}
