#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/noise.hpp"
#include "support/ranges.hpp"

// Losses whose target has another shape than the prediction, and losses of whole sequences.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::noise;

/// A row of labels, filled up with zeros to a width.
Tensor<double> row_of(const std::vector<Index>& labels, Index width) {
  Tensor<double> row({1, width});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    row(0, static_cast<Index>(i)) = static_cast<double>(labels[i]);
  }
  return row;
}

/// -log p(labels | x): the sum over all paths of classes that give the labels.
double sum_over_paths(const Tensor<double>& logits, const std::vector<Index>& labels) {
  double sum = 0;
  std::vector<Index> path;
  const std::function<void(double)> walk = [&](double probability) {
    const auto t = static_cast<Index>(path.size());
    if (t == logits.steps()) {
      std::vector<Index> read;
      Index last = 0;
      for (const Index label : path) {
        if (label > 0 && label != last) read.push_back(label);
        last = label;
      }
      if (read == labels) sum += probability;
      return;
    }
    double total = 0;
    for (Index c = 0; c < logits.features(); ++c) total += std::exp(logits(0, t, c));
    for (Index c = 0; c < logits.features(); ++c) {
      path.push_back(c);
      walk(probability * std::exp(logits(0, t, c)) / total);
      path.pop_back();
    }
  };
  walk(1);
  return -std::log(sum);
}

/// A loss of a user over a whole sequence: the squared distance of the mean output, over the steps
/// that count, from a target (F).
struct MeanOutput {
  static constexpr const char* name = "mean_output";
  bool forgets = false;

  [[nodiscard]] static Shape target_shape(const Shape& output) {
    return {output[0], output.back()};
  }

  double operator()(SequenceView<const float> prediction, std::span<const bool> counts,
                    SequenceView<const float> target, SequenceView<float> gradient) const {
    const auto counted = static_cast<float>(test::count(counts, true));
    double loss = 0;
    for (Index f = 0; f < prediction.features(); ++f) {
      float sum = 0;
      for (Index t = 0; t < prediction.steps(); ++t) {
        if (counts[static_cast<std::size_t>(t)]) sum += prediction(t, f);
      }
      const float error = sum / counted - target(0, f);
      loss += static_cast<double>(error * error);
      for (Index t = 0; t < gradient.steps(); ++t) {
        if (!forgets || f > 0) gradient(t, f) = 2 * error / counted;
      }
    }
    return loss;
  }
};

/// A loss of a user whose target has one feature for each two outputs.
struct OfSums {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "of_sums";

  [[nodiscard]] static Shape target_shape(const Shape& output) { return {output[0], 1}; }

  double operator()(const float* prediction, const float* target, Index size,
                    float* gradient) const {
    float sum = 0;
    for (Index i = 0; i < size; ++i) sum += prediction[i];
    const float error = sum - target[0];
    for (Index i = 0; gradient && i < size; ++i) gradient[i] = 2 * error;
    return static_cast<double>(error * error);
  }
};

/// The message with which the first step of a training is refused, the same for each way to train.
std::string refusal(const Loss<float>& loss, const Tensor<float>& y,
                    const std::vector<Metric<float>>& metrics = {}) {
  Sequential<> model;
  model.add(LSTM{3, return_sequences});
  model.add(Dense{4});
  const Tensor<float> x = noise<float>({2, 5, 1}, 1);
  model.compile(SGD{}, loss, metrics);
  const std::string fit = error_text<Error>([&] { model.fit(x, y, {.verbose = 0}); });
  CHECK(error_text<Error>([&] { model.train_on_batch(x, y); }) == fit);
  return fit;
}

}  // namespace

TEST_CASE("CTC: the loss is the sum over all paths, its gradient a difference", "[ctc][losses]") {
  const Loss<double> loss = CTC{};
  const Tensor<double> logits = noise<double>({1, 5, 4}, 3, 2);
  const std::vector<std::vector<Index>> cases{{1, 2}, {2, 2}, {3, 3, 1}, {}, {1}, {1, 2, 3, 1, 2}};
  for (const auto& labels : cases) {
    INFO("labels: " << labels.size());
    const Tensor<double> y = row_of(labels, 5);
    Tensor<double> gradient;
    const double value = loss.with_checked_derivative(logits, y, gradient);
    // Rounding alone: a sum of up to 4^5 products.
    CHECK(std::abs(value - sum_over_paths(logits, labels)) < 1e-12);
    for (Index i = 0; i < logits.size(); ++i) {
      constexpr double step = 1e-5;
      Tensor<double> up = logits;
      Tensor<double> down = logits;
      up.data()[i] += step;
      down.data()[i] -= step;
      const double slope = (loss(up, y, nullptr) - loss(down, y, nullptr)) / (2 * step);
      // The error of the difference is about the square of the step.
      CHECK(std::abs(slope - gradient.data()[i]) < 1e-8);
    }
  }
}

TEST_CASE("CTC: steps that do not count change nothing", "[ctc][losses]") {
  const Loss<double> loss = CTC{};
  const Tensor<double> logits = noise<double>({1, 7, 4}, 4, 2);
  const Tensor<double> y = row_of({2, 1, 1}, 3);
  Mask mask(1, 7);
  mask.set(0, 1, false);
  mask.set(0, 6, false);
  Tensor<double> some({1, 5, 4});
  Index to = 0;
  for (Index t = 0; t < 7; ++t) {
    if (!mask(0, t)) continue;
    for (Index c = 0; c < 4; ++c) some(0, to, c) = logits(0, t, c);
    ++to;
  }
  Tensor<double> gradient;
  Tensor<double> gradient_of_some;
  CHECK(loss(logits, y, &gradient, mask) == loss(some, y, &gradient_of_some));
  to = 0;
  for (Index t = 0; t < 7; ++t) {
    for (Index c = 0; c < 4; ++c) {
      CHECK(gradient(0, t, c) == (mask(0, t) ? gradient_of_some(0, to, c) : 0));
    }
    to += mask(0, t);
  }
  CHECK(ctc_greedy(logits, mask) == ctc_greedy(some));
  CHECK(ctc_beam_search(logits, mask) == ctc_beam_search(some));
}

TEST_CASE("CTC: any number of threads computes the same bits", "[ctc][losses][threads]") {
  const Loss<float> loss = CTC{};
  const Tensor<float> logits = noise<float>({9, 20, 5}, 5, 2);
  Tensor<float> y({9, 6});
  for (Index b = 0; b < 9; ++b) {
    for (Index i = 0; i < b % 7; ++i) y(b, i) = static_cast<float>(1 + (b + i) % 4);
  }
  Tensor<float> alone;
  Tensor<float> shared;
  const double value = loss(logits, y, &alone);
  CHECK(loss(logits, y, &shared, {}, detail::make_threads(3)) == value);
  CHECK(test::equal(alone.values(), shared.values()));
}

TEST_CASE("CTC: what cannot be aligned is refused, or weighs nothing", "[ctc][losses]") {
  const Tensor<float> y({2, 4}, {1, 2, 0, 0, 3, 3, 3, 0});
  Sequential<> model;
  model.add(LSTM{3, return_sequences});
  model.add(Dense{4});
  const Tensor<float> x = noise<float>({2, 4, 1}, 1);
  model.compile(SGD{}, CTC{});
  const std::string text =
      "3 labels, 2 of which are equal to the label before, need 5 steps, but 4 count";
  CHECK(error_text<ValueError>([&] { model.fit(x, y, {.verbose = 0}); }) == "y: sample 1: " + text);
  const Tensor<float> prediction = noise<float>({2, 4, 4}, 2);
  CHECK(error_text<ValueError>([&] { Loss<float>(CTC{})(prediction, y, nullptr); }) ==
        "loss ctc: sample 1 of the batch: " + text);

  const Loss<float> bears = CTC{.zero_infinity = true};
  Tensor<float> gradient;
  const double both = bears.with_checked_derivative(prediction, y, gradient);
  const double first = bears(prediction.rows(0, 1), y.rows(0, 1), nullptr);
  CHECK(both == first / 2);
  const auto of_second = gradient.values().last(16);
  CHECK(test::count(of_second, 0.f) == 16);

  Mask none(2, 4);
  for (Index t = 0; t < 4; ++t) none.set(0, t, false);
  CHECK(error_text<ValueError>([&] {
          Loss<float>(CTC{})(prediction, y, nullptr, none);
        }).starts_with("loss ctc: sample 0 of the batch: 2 labels"));
}

TEST_CASE("CTC: a network learns to label", "[ctc][losses]") {
  // A step of a sequence has the class of the label that it belongs to in its input.
  Tensor<float> x({8, 12, 3});
  Tensor<float> y({8, 3});
  Random random(1);
  for (Index b = 0; b < 8; ++b) {
    for (Index i = 0; i < 3; ++i) {
      const Index label = 1 + random.below(3);
      y(b, i) = static_cast<float>(label);
      for (Index t = 4 * i; t < 4 * i + 2; ++t) x(b, t, label - 1) = 1;
    }
  }
  Sequential model{Bidirectional{LSTM{8, return_sequences}}, Dense{4}};
  model.compile(Adam{.learning_rate = 0.03}, CTC{}, {LabelErrorRate{}});
  model.initialize(1);
  const History history = model.fit(x, y, {.epochs = 60, .batch_size = 4, .verbose = 0});
  CHECK(history["label_error_rate"].front() > 0.5);
  CHECK(model.evaluate(x, y).metrics["label_error_rate"] == 0);
  CHECK(history["loss"].back() < 0.1 * history["loss"].front());
}

TEST_CASE("Losses of sequences: a user's own trains, with the steps that count", "[losses]") {
  const Tensor<float> x = noise<float>({4, 6, 2}, 2);
  const Tensor<float> y = noise<float>({4, 2}, 3, 0.3);
  const Mask mask = Mask::from_lengths(std::vector<Index>{6, 3, 1, 4}, 6);
  Sequential model{LSTM{5, return_sequences}, Dense{2}};
  model.compile(Adam{.learning_rate = 0.02}, MeanOutput{}, {MeanOutput{}});
  const History history =
      model.fit(x, y, {.epochs = 200, .batch_size = 2, .mask = mask, .verbose = 0});
  CHECK(history["loss"].back() < 0.05 * history["loss"].front());
  const Evaluation all = model.evaluate(x, y, {.mask = mask});
  CHECK(std::abs(all.loss - all.metrics["mean_output"]) < 1e-12);
  CHECK(refusal(MeanOutput{.forgets = true}, noise<float>({2, 4}, 1)) ==
        "loss mean_output: sample 0 of the batch: wrote 3 of the 4 derivatives of a step; where "
        "`gradient` is not empty a loss writes the derivatives of all steps that count");
}

TEST_CASE("Losses: targets of another size than the outputs", "[losses]") {
  const Tensor<float> x = noise<float>({6, 4, 1}, 2);
  const Tensor<float> y = noise<float>({6, 1}, 3, 0.5);
  Sequential model{LSTM{4}, Dense{2}};
  model.compile(Adam{.learning_rate = 0.05}, OfSums{});
  const History history = model.fit(x, y, {.epochs = 150, .verbose = 0});
  CHECK(history["loss"].back() < 0.05 * history["loss"].front());

  // A forecast of quantiles puts the asked share of the targets below each.
  Tensor<float> constant({400, 1, 1});
  Tensor<float> many = noise<float>({400, 1}, 4);
  Sequential quantiles{Flatten{}, Dense{3}};
  quantiles.compile(Adam{.learning_rate = 0.02}, Quantiles{{0.1, 0.5, 0.9}});
  quantiles.fit(constant, many, {.epochs = 100, .verbose = 0});
  const Tensor<float> forecast = quantiles.predict(constant);
  for (Index q = 0; q < 3; ++q) {
    const auto below = static_cast<double>(
        test::count_if(many.values(), [&](float v) { return v < forecast(0, q); }));
    // Steps of about the learning rate move the quantile by less than the share of 5 %.
    CHECK(std::abs(below / 400 - (q == 0 ? 0.1 : q == 1 ? 0.5 : 0.9)) < 0.05);
  }
}

TEST_CASE("Losses: targets of a wrong shape are refused with both shapes", "[losses]") {
  const auto zeros = [](const Shape& shape) { return Tensor<float>(shape); };
  CHECK(refusal(CTC{}, zeros({2, 5, 4})) ==
        "y: the model's output has the shape (2, 5, 4), for which the loss ctc takes targets of "
        "the shape (2, None); found (2, 5, 4)");
  CHECK(refusal(GaussianNLL{}, zeros({2, 5, 4})) ==
        "y: the model's output has the shape (2, 5, 4), for which the loss gaussian_nll takes "
        "targets of the shape (2, 5, 2); found (2, 5, 4)");
  CHECK(refusal(Quantiles{{0.1, 0.5, 0.9}}, zeros({2, 5, 2})) ==
        "loss quantiles: needs 3 outputs for each feature of y, one for each quantile; found "
        "outputs (2, 5, 4)");
  CHECK(refusal(GaussianNLL{}, zeros({2, 5, 2}), {MeanAbsoluteError{}}) ==
        "the metric mae takes targets of the shape (2, 5, 4) for outputs of the shape (2, 5, 4), "
        "but y, of the loss gaussian_nll, has (2, 5, 2)");
  CHECK(refusal(CTC{}, zeros({2, 3}), {Accuracy{}}) ==
        "the metric accuracy takes targets of the shape (2, 5, None) for outputs of the shape (2, "
        "5, 4), but y, of the loss ctc, has (2, 3)");
  CHECK(refusal(CTC{}, Tensor<float>({2, 3}, {1, 2, 0, 0, 4, 0})) ==
        "y(1, 1) is 4, but the classes are 0 to 3");
  CHECK(refusal(CTC{}, Tensor<float>({2, 3}, {1, 2, 0, 0, 3, 0})) ==
        "y: sample 1: label 1 is 3, but label 0 is 0, which fills up rows behind their last label");
  CHECK(error_text<ValueError>([] {
          (void)Loss<float>(Quantiles{{0.5, 1}});
        }) == "Quantiles: a quantile must be above 0 and below 1, found 1");
  CHECK(error_text<ShapeError>([&] {
          Loss<float>(MeanSquaredError{})(zeros({2, 3}), zeros({2, 2}), nullptr);
        }) ==
        "loss mse: takes targets of the shape (2, 3) for predictions of the shape (2, 3), found "
        "(2, 2)");

  Sequential<> model;
  model.add(LSTM{3, return_sequences});
  model.add(Dense{4});
  model.compile(SGD{}, CTC{});
  CHECK(error_text<ValueError>([&] {
          model.fit(zeros({2, 6, 1}), zeros({2, 2}), {.truncate = 3, .verbose = 0});
        }) == "fit: truncate cuts sequences into windows, but the loss ctc needs whole sequences");
}
