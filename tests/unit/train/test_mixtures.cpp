#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

namespace {

using namespace strata;
using strata::test::error_text;

/// The loss and its derivatives agree with differences of the loss.
void check_gradient(const Loss<double>& loss, const Tensor<double>& prediction,
                    const Tensor<double>& y) {
  Tensor<double> gradient;
  (void)loss.with_checked_derivative(prediction, y, gradient);
  for (Index i = 0; i < prediction.size(); ++i) {
    constexpr double step = 1e-6;
    Tensor<double> up = prediction;
    Tensor<double> down = prediction;
    up.data()[i] += step;
    down.data()[i] -= step;
    const double slope = (loss(up, y, nullptr) - loss(down, y, nullptr)) / (2 * step);
    INFO("output " << i);
    // Rounding of the loss, by the step, and the square of the step.
    CHECK(std::abs(slope - gradient.data()[i]) < 1e-7 * std::max(1.0, std::abs(slope)));
  }
}

}  // namespace

TEST_CASE("Mixtures: gradients, also far out and with correlations near 1", "[mixtures][losses]") {
  check_gradient(MixtureDensity{.components = 2},
                 Tensor<double>({2, 6}, {9, -9, 1, -3, -4, 2, 0.5, 0.25, 30, -30, 1, 0.5}),
                 Tensor<double>({2, 1}, {1.02, 2}));
  check_gradient(PenDensity{.components = 1},
                 Tensor<double>({2, 7}, {12, 0, 0.5, -1, 0.25, -0.5, 4, -12, 0, 1, 2, -1, 0, -4}),
                 Tensor<double>({2, 3}, {0.6, -0.95, 1, 1.25, 1.5, 0}));
}

TEST_CASE("Mixtures: a network finds a distribution with two peaks", "[mixtures][losses]") {
  // y is 2 or -1, each with a deviation of 0.2; the first with a probability of 0.75.
  const Tensor<float> x({600, 1, 1});
  Tensor<float> y({600, 1});
  Random random(1);
  for (float& value : y.values()) {
    value = static_cast<float>((random.uniform() < 0.75 ? 2 : -1) + 0.2 * random.normal());
  }
  const MixtureDensity density{.components = 2};
  Sequential model{Flatten{}, Dense{density.outputs()}};
  model.compile(Adam{.learning_rate = 0.03}, density);
  model.build(Input{1, 1});
  std::vector<float> weights = model.weights();
  weights[weights.size() - 4] = 1;  // the means begin apart
  weights[weights.size() - 3] = -1;
  model.set_weights(weights);
  const History history = model.fit(x, y, {.epochs = 40, .verbose = 0});
  CHECK(history["loss"].back() < history["loss"].front() - 0.5);

  const Tensor<float> outputs = model.predict(x.rows(0, 1));
  const GaussianMixture found = density.distribution(outputs.values());
  // The sample of 600 has the deviation 0.018 of a share and 0.03 of the mean.
  CHECK(std::abs(std::max(found.weights[0], found.weights[1]) - 0.75) < 0.06);
  CHECK(std::abs(found.mean() - (0.75 * 2 - 0.25)) < 0.15);
  CHECK(std::abs(found.variance() - (0.04 + 0.75 * 0.25 * 9)) < 0.2);
  // Three quarters are at 2, one quarter at -1.
  CHECK(std::abs(found.quantile(0.1, 4000, random) + 1) < 0.2);
  CHECK(std::abs(found.quantile(0.6, 4000, random) - 2) < 0.2);
}

TEST_CASE("Mixtures: samples have the moments of the distribution", "[mixtures][sampling]") {
  const MixtureDensity density{.components = 2, .dimensions = 2};
  const std::vector<double> row{0.5, -0.5, 1, 2, -1, 0, 0.1, -0.3, -0.2, 0.4};
  const GaussianMixture mixture = density.distribution(std::span(row));
  CHECK(mixture.dimensions() == 2);
  Random random(3);
  constexpr int draws = 20000;
  for (Index d = 0; d < 2; ++d) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < draws; ++i) {
      const double value = mixture.sample(random)[static_cast<std::size_t>(d)];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / draws;
    // Five deviations of a mean of 20,000 draws; the variance's own is twice as wide.
    const double noise = 5 * std::sqrt(mixture.variance(d) / draws);
    CHECK(std::abs(mean - mixture.mean(d)) < noise);
    CHECK(std::abs(squares / draws - mean * mean - mixture.variance(d)) < 4 * noise);
  }
  const GaussianMixture biased = density.distribution(std::span(row), 2);
  CHECK(biased.weights[0] > mixture.weights[0]);
  CHECK(std::abs(biased.deviations[0] - mixture.deviations[0] * std::exp(-2)) < 1e-12);
}

TEST_CASE("Mixtures: a pen's movements have their correlation and ends", "[mixtures][sampling]") {
  const PenDensity density{.components = 1};
  const std::vector<float> row{-1, 0, 0.5f, -0.5f, 0.2f, -0.2f, 1};
  const PenMixture pen = density.distribution(std::span(row));
  Random random(4);
  constexpr int draws = 20000;
  double product = 0;
  int ends = 0;
  for (int i = 0; i < draws; ++i) {
    const PenPoint point = pen.sample(random);
    product += (point.dx - 0.5) / pen.deviations_x[0] * (point.dy + 0.5) / pen.deviations_y[0];
    ends += point.end;
  }
  // Five deviations of means of 20,000 draws, whose own deviations are below 1.4 and 0.5.
  CHECK(std::abs(product / draws - std::tanh(1)) < 0.05);
  CHECK(std::abs(static_cast<double>(ends) / draws - 1 / (1 + std::exp(1))) < 0.018);
}

TEST_CASE("Mixtures: what does not fit is refused", "[mixtures][losses]") {
  CHECK(error_text<ValueError>([] { (void)Loss<float>(MixtureDensity{.components = 0}); }) ==
        "MixtureDensity: components must be from 1 to 2^20, found 0");
  const Tensor<float> x({2, 3, 1});
  const auto refusal = [&](const Loss<float>& loss, Index units, const Tensor<float>& y) {
    Sequential model{LSTM{2}, Dense{units}};
    model.compile(SGD{}, loss);
    return error_text<Error>([&] { model.fit(x, y, {.verbose = 0}); });
  };
  CHECK(refusal(MixtureDensity{.components = 2}, 5, Tensor<float>({2, 1})) ==
        "loss mixture_density: needs 6 outputs, found outputs (2, 5); give the last layer "
        "`outputs()` units");
  CHECK(refusal(PenDensity{.components = 1}, 7, Tensor<float>({2, 3}, {0, 0, 1, 0, 0, 0.5f})) ==
        "y(1, 0): the end of a stroke must be 0 or 1, found 0.5");
  const std::vector<float> row(6);
  CHECK(error_text<ShapeError>([&] {
          (void)MixtureDensity{.components = 3}.distribution(std::span(row));
        }) == "MixtureDensity: a distribution has 9 outputs, found 6");
  CHECK(error_text<ValueError>([&] {
          (void)MixtureDensity{.components = 2}.distribution(std::span(row), -1);
        }) == "MixtureDensity: bias must be at least 0 and finite, found -1");
  Random random;
  const GaussianMixture mixture = MixtureDensity{.components = 2}.distribution(std::span(row));
  CHECK(error_text<ValueError>([&] { (void)mixture.quantile(1, 10, random); }) ==
        "quantile: p must be above 0 and below 1, found 1");
}
