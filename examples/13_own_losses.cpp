// Losses of your own: one of a row, and one of a whole sequence.
//
// Teaches RowLoss and SequenceLoss. The first loss has a target with another number of features
// than the prediction: for each value the network says a median and how far off it may be, and
// learns both from the values alone. The second sees all outputs of a sequence together: the
// network learns which steps are events, although the data says only how many events a sequence
// has. Training checks in its first step that a loss writes its whole derivative. On screen: the
// spread that the first network says and the true one, and how many steps the second marks rightly.

#include <strata/strata.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <span>

using namespace strata;

// The negative log likelihood of a Laplace distribution: log(2 s) + |y - m| / s. A row of two
// outputs, m and log s, has a target of one number.
struct LaplaceNLL {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "laplace_nll";

  static Shape target_shape(const Shape& output) { return {output[0], 1}; }

  double operator()(const float* prediction, const float* target, Index, float* gradient) const {
    const float error = prediction[0] - target[0];
    const float distance = std::abs(error) / std::exp(prediction[1]);
    if (gradient) {
      gradient[0] = (error > 0 ? 1.f : -1.f) / std::exp(prediction[1]);
      gradient[1] = 1 - distance;
    }
    return static_cast<double>(std::log(2.f) + prediction[1] + distance);
  }
};

// (sum of the outputs over the steps that count - number of events)^2.
struct EventCount {
  static constexpr const char* name = "event_count";

  static Shape target_shape(const Shape& output) { return {output[0], 1}; }

  double operator()(SequenceView<const float> prediction, std::span<const bool> counts,
                    SequenceView<const float> target, SequenceView<float> gradient) const {
    float error = -target(0, 0);
    for (Index t = 0; t < prediction.steps(); ++t) {
      if (counts[static_cast<std::size_t>(t)]) error += prediction(t, 0);
    }
    for (float& slope : gradient.values()) slope = 2 * error;
    return static_cast<double>(error * error);
  }
};

// Noise that grows with the mean of the sequence before it. Returns the largest error of the
// spread that the network says, as a share of the true one.
float error_of_spread() {
  Random random(1);
  Tensor<float> x({3000, 5, 1}), y({3000, 1});
  for (Index b = 0; b < x.batch(); ++b) {
    const auto level = static_cast<float>(random.uniform());
    for (Index t = 0; t < 5; ++t) x(b, t, 0) = level;
    const double sign = random.uniform() < 0.5 ? -1 : 1;
    const double distance = -std::log(1 - random.uniform());  // of a Laplace distribution
    y(b, 0) = static_cast<float>(sign * distance * (0.1 + static_cast<double>(level)));
  }
  Sequential model{LSTM{8}, Dense{2}};
  model.compile(Adam{.learning_rate = 0.01}, LaplaceNLL{});
  model.fit(x, y, {.epochs = 30, .verbose = 0});

  float worst = 0;
  for (const float level : {0.1f, 0.5f, 0.9f}) {
    Tensor<float> one({1, 5, 1});
    std::fill(one.values().begin(), one.values().end(), level);
    const float spread = std::exp(model.predict(one)(0, 1));
    const float truth = 0.1f + level;
    std::printf("level %.1f: spread %.2f, true %.2f\n", level, spread, truth);
    worst = std::max(worst, std::abs(spread / truth - 1));
  }
  return worst;
}

// Events are steps at which the input is above its two neighbours. Returns the share of steps that
// the network marks rightly, on sequences that it has not seen.
float share_right() {
  Random random(2);
  Tensor<float> x({2200, 8, 1}), y({2200, 1}), is_event({2200, 8, 1});
  for (Index b = 0; b < x.batch(); ++b) {
    for (Index t = 0; t < 8; ++t) x(b, t, 0) = static_cast<float>(random.uniform());
    for (Index t = 2; t < 8; ++t) {
      const bool peak = x(b, t - 1, 0) > x(b, t - 2, 0) && x(b, t - 1, 0) > x(b, t, 0);
      is_event(b, t, 0) = peak;
      y(b, 0) += static_cast<float>(peak);
    }
  }
  Sequential model{LSTM{16, return_sequences}, Dense{1, Activation::sigmoid}};
  model.compile(Adam{.learning_rate = 0.01}, EventCount{});
  model.fit(x.rows(0, 2000), y.rows(0, 2000), {.epochs = 60, .verbose = 0});

  const Tensor<float> marks = model.predict(x.rows(2000, 200));
  Index right = 0;
  for (Index i = 0; i < marks.size(); ++i) {
    right += (marks.data()[i] > 0.5f) == (is_event.data()[2000 * 8 + i] > 0.5f);
  }
  const auto share = static_cast<float>(right) / static_cast<float>(marks.size());
  std::printf("events from their number alone: %.1f %% of the steps right\n", 100 * share);
  return share;
}

int main() {
  try {
    const float spread = error_of_spread();
    return spread < 0.25f && share_right() > 0.9f ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
