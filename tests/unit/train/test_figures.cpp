#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/series.hpp"

// Figures and schedules that Keras has not, or has otherwise: confusion matrices, figures of
// forecasts, metrics of class numbers, metrics of a user's over an epoch, warm-up and one cycle.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

template <class M>
double figure_of(const M& metric, const Tensor<double>& prediction, const Tensor<double>& target) {
  const Metric<double> any = metric;
  return any.result(any.sums(prediction, target));
}

/// The share of the rows whose target is 0 and that are predicted so.
struct Specificity {
  static constexpr const char* name = "specificity";
  static constexpr Mode mode = Mode::max;

  std::size_t sum_count(Index) const { return 2; }
  void add(const float* prediction, const float* target, Index, Index, double weight,
           std::span<double> sums) const {
    if (*target != 0) return;
    sums[0] += *prediction <= 0.5f ? weight : 0;
    sums[1] += weight;
  }
  double result(std::span<const double> sums) const { return sums[0] / sums[1]; }
};

struct RateRecord {
  std::vector<double>* all;
  void on_epoch_end(TrainingRun& run, int, const Logs&) const {
    all->push_back(run.learning_rate());
  }
};

std::vector<double> scheduled_rates(const Callback& schedule, int epochs) {
  const auto data = sines<float>(4);
  Sequential<> model;
  model.add(LSTM{2});
  model.add(Dense{1});
  model.compile(SGD{.learning_rate = 1}, MeanSquaredError{});
  std::vector<double> rates;
  model.fit(data.x, data.y,
            {.epochs = epochs, .callbacks = {schedule, RateRecord{&rates}}, .verbose = 0});
  return rates;
}

}  // namespace

TEST_CASE("confusion_matrix counts which class was taken for which", "[figures]") {
  const Tensor<float> prediction({4, 3}, {.7f, .2f, .1f, .1f, .8f, .1f, .2f, .5f, .3f, 0, 0, 1});
  Eigen::Matrix<Index, 3, 3> expected;
  expected << 1, 1, 0, 0, 1, 0, 0, 0, 1;
  CHECK(confusion_matrix(prediction, Tensor<float>({4, 1}, {0, 1, 0, 2})) == expected);
  const Tensor<float> hot({4, 3}, {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1});
  CHECK(confusion_matrix(prediction, hot) == expected);

  const Tensor<float> steps({2, 2, 1}, {.2f, .8f, .6f, .4f});
  const Tensor<float> labels({2, 2}, {0, 1, 0, 1});
  Mask mask(2, 2);
  mask.set(1, 1, false);
  Eigen::Matrix<Index, 2, 2> binary;
  binary << 1, 1, 0, 1;
  CHECK(confusion_matrix(steps, labels, mask) == binary);
  binary << 2, 0, 0, 1;
  CHECK(confusion_matrix(steps, labels, mask, 0.7) == binary);

  CHECK(error_text<ShapeError>([&] { (void)confusion_matrix(prediction, labels); }) ==
        "confusion_matrix: predictions of the shape (4, 3) need class numbers, one for each "
        "row, or targets of their shape; found (2, 2)");
  CHECK(error_text<ValueError>([&] {
          (void)confusion_matrix(prediction, Tensor<float>({4, 1}, {0, 3, 0, 2}));
        }) == "confusion_matrix: the target of row 1 is 3, but the classes are 0 to 2");
  CHECK(error_text<ShapeError>([&] { (void)confusion_matrix(prediction, hot, mask); }) ==
        "confusion_matrix: the mask has the shape (2, 2), the predictions (4, 3)");
}

TEST_CASE("Figures of forecasts", "[figures]") {
  const Tensor<double> y({2, 2}, {1, 2, 0, 4}), p({2, 2}, {1, 4, 0, 2});
  CHECK(figure_of(SymmetricMeanAbsolutePercentageError{}, p, y) ==
        Approx(200 * (2.0 / 6 + 2.0 / 6) / 4));
  const Tensor<double> series({1, 5, 1}, {1, 3, 2, 6, 5});
  CHECK(seasonal_error(series) == Approx((2 + 1 + 4 + 1) / 4.0));
  CHECK(seasonal_error(series, 2) == Approx((1 + 3 + 3) / 3.0));
  CHECK(figure_of(MeanAbsoluteScaledError{.scale = 2}, p, y) == 0.5);
  CHECK(error_text<ShapeError>([&] { (void)seasonal_error(series, 5); }) ==
        "seasonal_error: expects series (B, T, F) of more than 5 steps, found (1, 5, 1)");
  CHECK(error_text<ValueError>([&] { (void)seasonal_error(series, 0); }) ==
        "seasonal_error: season must be at least 1, found 0");
  CHECK(error_text<ValueError>([&] { Metric<double>{MeanAbsoluteScaledError{}}; }) ==
        "mase: scale must be above 0 and finite, found 0");
}

TEST_CASE("Precision, recall and F1 of class numbers", "[figures]") {
  const Tensor<double> prediction({3, 3}, {.7, .2, .1, .1, .5, .4, .2, .5, .3});
  const Tensor<double> labels({3, 1}, {0, 1, 2});
  const Tensor<double> hot({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  // Class 1 is predicted twice, once rightly.
  CHECK(figure_of(PrecisionScore{.class_id = 1}, prediction, labels) == 0.5);
  CHECK(figure_of(RecallScore{.class_id = 1}, prediction, labels) == 1);
  CHECK(figure_of(RecallScore{.class_id = 2}, prediction, labels) == 0);
  CHECK(figure_of(PrecisionScore{.class_id = 2}, prediction, labels) == 0);
  CHECK(figure_of(F1Score{}, prediction, labels) == figure_of(F1Score{}, prediction, hot));
}

TEST_CASE("A metric of a user's over an epoch", "[figures]") {
  const Tensor<float> x({5, 1, 1}, {.1f, .9f, .2f, .8f, .7f});
  const Tensor<float> y({5, 1}, {0, 1, 0, 0, 1});
  Sequential<> model;
  model.add(Input{1, 1});
  model.add(LastStep{});
  model.compile(SGD{}, BinaryCrossentropy{}, {Specificity{}, Weighted{Specificity{}}});
  // One of three is wrong, in whichever batches.
  for (const Index batch_size : {1, 2, 5}) {
    CHECK(model.evaluate(x, y, {.batch_size = batch_size})["specificity"] == Approx(2.0 / 3));
  }
  CHECK(model.evaluate(x, y, {.sample_weight = {{1, 1, 1, 2, 1}}})["weighted_specificity"] == 0.5);
}

TEST_CASE("WarmUp and OneCycle", "[figures]") {
  const auto warm = scheduled_rates(WarmUp{.epochs = 2, .start = 0.5, .minimum = 0}, 6);
  const std::vector<double> expected = {
      0.5, 0.75, 1, 0.5 * (1 + std::sqrt(0.5)), 0.5, 0.5 * (1 - std::sqrt(0.5))};
  REQUIRE(warm.size() == expected.size());
  for (std::size_t i = 0; i < warm.size(); ++i) CHECK(warm[i] == Approx(expected[i]));

  // torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1, total_steps=10) of PyTorch 2.15
  const std::vector<double> torch = {0.04,        0.52,        1,           0.950484632,
                                     0.811745654, 0.611262022, 0.388741978, 0.188258346,
                                     0.049519368, 4e-6};
  const auto cycle = scheduled_rates(OneCycle{}, 10);
  REQUIRE(cycle.size() == torch.size());
  // The values are written with nine digits.
  for (std::size_t i = 0; i < cycle.size(); ++i) CHECK(std::abs(cycle[i] - torch[i]) < 1e-9);
  CHECK(error_text<ValueError>([&] { (void)scheduled_rates(WarmUp{.epochs = 0}, 2); }) ==
        "WarmUp: epochs must be at least 1, found 0");
  CHECK(error_text<ValueError>([&] { (void)scheduled_rates(OneCycle{.growing = 2}, 2); }) ==
        "OneCycle: growing must be in [0, 1], found 2");
  CHECK(scheduled_rates(OneCycle{}, 1) == std::vector<double>{1});
}

TEST_CASE("Noise on gradients has the variance eta / (1 + t)^gamma", "[fit]") {
  // A loss without a slope: the weights move by the noise alone.
  struct Flat {
    double operator()(const float*, const float*, Index size, float* gradient) const {
      if (gradient) std::fill_n(gradient, size, 0.0f);
      return 1;
    }
  };
  const auto data = sines<float>(4);
  const auto moved = [&](const FitOptions<float>& options) {
    Sequential<> model;
    model.add(Input{6, 1});
    model.add(LSTM{32});
    model.add(Dense{1});
    model.set_trainable("dense", false);
    model.compile(SGD{.learning_rate = 1}, Flat{});
    const auto before = model.weights();
    model.fit(data.x, data.y, options);
    double squares = 0;
    const auto after = model.weights();
    for (std::size_t i = 0; i < after.size(); ++i) {
      squares += std::pow(static_cast<double>(after[i] - before[i]), 2);
    }
    CHECK(after.back() == before.back());
    return squares / static_cast<double>(after.size() - 33);
  };
  const double eta = 0.04;
  // 4352 numbers: their variance has a relative error of some 2 %.
  CHECK(moved({.gradient_noise = {.eta = eta}, .verbose = 0}) == Approx(eta).epsilon(0.1));
  const double three = eta * (1 + std::pow(2, -0.55) + std::pow(3, -0.55));
  CHECK(moved({.epochs = 3, .gradient_noise = {.eta = eta}, .verbose = 0}) ==
        Approx(three).epsilon(0.1));
  CHECK(moved({.verbose = 0}) == 0);
  CHECK(error_text<ValueError>([&] { (void)moved({.gradient_noise = {.eta = -1}}); }) ==
        "fit: gradient_noise.eta must be at least 0, found -1");
}

TEST_CASE("Losses and metrics may be local structs, lambdas and functions", "[figures]") {
  struct Local {
    const char* name = "local";
    Targets targets = Targets::values;
    double factor = 1;
    double operator()(const float* y, const float* t, Index size, float* gradient) const {
      return factor * MeanSquaredError{}(y, t, size, gradient);
    }
  };
  const auto lambda = [](const float* y, const float* t, Index size, float* gradient) {
    return MeanSquaredError{}(y, t, size, gradient);
  };
  const auto data = sines<float>(4);
  const auto trained_by = [&](Loss<float> loss, std::vector<Metric<float>> metrics = {}) {
    Sequential<> model;
    model.add(LSTM{2});
    model.add(Dense{1});
    model.compile(SGD{}, std::move(loss), std::move(metrics));
    return model.fit(data.x, data.y, {.epochs = 2, .verbose = 0});
  };
  const auto expected = trained_by(MeanSquaredError{})["loss"];
  CHECK(trained_by(Local{})["loss"] == expected);
  CHECK(trained_by(lambda)["loss"] == expected);
  CHECK(Loss<float>(lambda).name() == "loss");
  CHECK(Loss<float>(Local{}).name() == "local");
  const auto history = trained_by(
      lambda, {Local{},
               {lambda, "again"},
               {[](const float* y, const float*, Index, Index) { return static_cast<double>(*y); },
                "output"}});
  CHECK(history.names() == std::vector<std::string>{"loss", "local", "again", "output"});
  CHECK(history["again"] == history["local"]);
}
