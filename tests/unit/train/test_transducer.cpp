#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/noise.hpp"

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::noise;

using Labels = std::vector<Index>;

template <class Scalar>
Tensor<Scalar> rows_of(const std::vector<Labels>& samples, Index width) {
  Tensor<Scalar> rows({static_cast<Index>(samples.size()), width});
  for (std::size_t b = 0; b < samples.size(); ++b) {
    for (std::size_t i = 0; i < samples[b].size(); ++i) {
      rows(static_cast<Index>(b), static_cast<Index>(i)) = static_cast<Scalar>(samples[b][i]);
    }
  }
  return rows;
}

/// A small transducer of 3 classes and 2 features, with large weights, so that labels matter.
template <class Scalar>
auto small_transducer(std::uint64_t seed, double dropout = 0) {
  using Sequence = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;
  const auto with = [&](auto... layers) { return Sequential{std::move(layers)...}; };
  Transducer model{with(Input{Dynamic, 2}, Sequence{3, return_sequences, {.dropout = dropout}},
                        Dense<Scalar>{4}),
                   with(Input{Dynamic}, Embedding<Scalar>{3, 2}, Sequence{3}, Dense<Scalar>{4}),
                   with(Input{4}, Activate<Scalar>{Activation::tanh}, Dense<Scalar>{3})};
  Random random(seed);
  const auto grow = [&](auto& part) {
    auto weights = part.weights();
    for (auto& weight : weights) weight = static_cast<Scalar>(1.5 * random.normal());
    part.set_weights(weights);
  };
  grow(model.encoder);
  grow(model.prediction);
  grow(model.output);
  return model;
}

/// -log p(labels | x) of one sample, by all paths, with probabilities from the models' own
/// predictions.
template <class Model>
double sum_over_paths(const Model& model, const Tensor<double>& x, const Labels& labels) {
  const Tensor<double> l = model.encoder.predict(x);
  Labels read{0};
  read.insert(read.end(), labels.begin(), labels.end());
  const Tensor<double> p =
      model.prediction.predict(rows_of<double>({read}, static_cast<Index>(read.size())));
  const auto probability = [&](Index t, std::size_t u, Index label) {
    Tensor<double> sum({1, l.features()});
    for (Index j = 0; j < l.features(); ++j)
      sum(0, j) = l(0, t, j) + p(0, static_cast<Index>(u), j);
    const Tensor<double> logits = model.output.predict(sum);
    double total = 0;
    for (Index c = 0; c < logits.features(); ++c) total += std::exp(logits(0, c));
    return std::exp(logits(0, label)) / total;
  };
  const std::function<double(Index, std::size_t)> walk = [&](Index t, std::size_t u) {
    if (t == l.steps()) return u == labels.size() ? 1.0 : 0.0;
    double sum = probability(t, u, 0) * walk(t + 1, u);
    if (u < labels.size()) sum += probability(t, u, labels[u]) * walk(t, u + 1);
    return sum;
  };
  return -std::log(walk(0, 0));
}

}  // namespace

TEST_CASE("Transducer: the loss is the sum over all paths", "[transducer]") {
  auto model = small_transducer<double>(1);
  TransducerTrainer trainer{model, SGD{}};
  const Tensor<double> x = noise<double>({1, 4, 2}, 2);
  for (const Labels& labels : std::vector<Labels>{{}, {1}, {2, 2}, {1, 2, 1}, {2, 1, 1, 2, 1, 2}}) {
    INFO("labels: " << labels.size());
    // Rounding alone: a sum of up to 84 paths of 10 factors.
    CHECK(std::abs(trainer.loss(x, rows_of<double>({labels}, 7)) -
                   sum_over_paths(model, x, labels)) < 1e-12);
  }
}

TEST_CASE("Transducer: gradients of all three models equal differences", "[transducer]") {
  const auto model = small_transducer<double>(3);
  const Tensor<double> x = noise<double>({3, 4, 2}, 4);
  const Tensor<double> labels = rows_of<double>({{1, 2}, {}, {2, 2, 1}}, 3);
  const std::vector<Index> lengths{4, 2, 3};
  const TransducerOptions options{.mask = Mask::from_lengths(lengths, 4)};
  auto learned = model;
  TransducerTrainer learner{learned, SGD{.learning_rate = 1}};
  const double loss = learner.step(x, labels, options);

  const auto check = [&](auto part) {
    auto moved = model;
    TransducerTrainer trainer{moved, SGD{}};
    CHECK(trainer.loss(x, labels, options) == loss);
    const auto before = (model.*part).weights();
    const auto after = (learned.*part).weights();
    for (std::size_t i = 0; i < before.size(); ++i) {
      constexpr double step = 1e-5;
      const auto at = [&](double shift) {
        auto weights = before;
        weights[i] += shift;
        (moved.*part).set_weights(weights);
        return trainer.loss(x, labels, options);
      };
      INFO("weight " << i);
      // The error of a difference is about the square of its step.
      CHECK(std::abs((at(step) - at(-step)) / (2 * step) - (before[i] - after[i])) < 1e-7);
    }
  };
  using Model = std::remove_const_t<decltype(model)>;
  check(&Model::encoder);
  check(&Model::prediction);
  check(&Model::output);
}

TEST_CASE("Transducer: threads and steps that do not count change nothing",
          "[transducer][threads]") {
  const Tensor<float> x = noise<float>({5, 6, 2}, 5);
  const Tensor<float> labels = rows_of<float>({{1, 2}, {2}, {}, {1, 1, 2}, {2, 1}}, 4);
  const auto trained = [&](int threads) {
    auto model = small_transducer<float>(6, 0.3);
    model.encoder.set_threads(threads);
    model.output.set_threads(threads);
    TransducerTrainer trainer{model, Adam{}};
    for (int step = 0; step < 3; ++step) trainer.step(x, labels);
    return std::pair{model.encoder.weights(), model.output.weights()};
  };
  CHECK(trained(1) == trained(3));

  auto model = small_transducer<double>(7);
  TransducerTrainer trainer{model, SGD{}};
  const Tensor<double> whole = noise<double>({1, 5, 2}, 8);
  Mask mask(1, 5);
  mask.set(0, 4, false);
  Tensor<double> part({1, 4, 2});
  std::copy_n(whole.data(), part.size(), part.data());
  const Tensor<double> one = rows_of<double>({{2, 1}}, 2);
  CHECK(std::abs(trainer.loss(whole, one, {.mask = mask}) - trainer.loss(part, one)) < 1e-12);
}

TEST_CASE("Transducer: a wide search finds the likeliest sequence", "[transducer][sampling]") {
  int different = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    INFO("seed " << seed);
    auto model = small_transducer<double>(seed);
    const Tensor<double> x = noise<double>({1, 3, 2}, seed + 100);
    Labels best;
    double least = 1e300;
    const std::function<void(Labels)> search = [&](Labels labels) {
      const double loss = sum_over_paths(model, x, labels);
      if (loss < least) {
        least = loss;
        best = labels;
      }
      if (labels.size() == 4) return;
      for (const Index label : {1, 2}) {
        labels.push_back(label);
        search(labels);
        labels.pop_back();
      }
    };
    search({});
    const auto found = transducer_beam_search(model, x, {}, {.width = 60, .labels_per_step = 4});
    REQUIRE(found.size() == 1);
    // A sequence of more than 4 labels may be likelier still.
    CHECK((found[0] == best || sum_over_paths(model, x, found[0]) < least));
    different += found[0] != transducer_greedy(model, x)[0];
  }
  // Otherwise the search would not be tested apart from the greedy one.
  CHECK(different > 1);
}

TEST_CASE("Transducer: it learns labels that the input shows late or in bursts", "[transducer]") {
  // Each of three labels is shown at once, for one step; two of them may be shown together.
  Tensor<float> x({16, 8, 3});
  std::vector<Labels> targets(16);
  Random random(2);
  for (Index b = 0; b < 16; ++b) {
    for (Index t = 1; t < 8; t += 3) {
      const Index label = 1 + random.below(2);
      x(b, t, label - 1) = 1;
      targets[static_cast<std::size_t>(b)].push_back(label);
      if (random.uniform() < 0.4) {
        x(b, t, 2) = 1;
        targets[static_cast<std::size_t>(b)].push_back(3);
      }
    }
  }
  Transducer model{Sequential{LSTM{12, return_sequences}, Dense{12}},
                   Sequential{Embedding{4, 6}, LSTM{12, return_sequences}, Dense{12}},
                   Sequential{Activate{Activation::tanh}, Dense{4}}};
  model.encoder.initialize(1);
  TransducerTrainer trainer{model, Adam{.learning_rate = 0.02}};
  const Tensor<float> labels = rows_of<float>(targets, 6);
  const double first = trainer.step(x, labels);
  for (int step = 0; step < 150; ++step) trainer.step(x, labels);
  CHECK(trainer.loss(x, labels) < 0.05 * first);
  CHECK(transducer_greedy(model, x) == targets);
  CHECK(transducer_beam_search(model, x) == targets);
}

TEST_CASE("Transducer: weight noise changes a step of each model, and leaves clean weights",
          "[transducer]") {
  const Tensor<double> x = noise<double>({3, 4, 2}, 3);
  const Tensor<double> labels = rows_of<double>({{1, 2}, {2}, {1}}, 2);
  const auto step = [&](double deviation, double rate) {
    auto model = small_transducer<double>(4);
    TransducerTrainer trainer{model, SGD{.learning_rate = rate}};
    const double loss = trainer.step(x, labels, {.weight_noise = deviation});
    return std::tuple(loss, model.encoder.weights(), model.prediction.weights(),
                      model.output.weights());
  };
  const auto clean = step(0, 0.1);
  const auto noisy = step(0.1, 0.1);
  CHECK(std::get<0>(noisy) != std::get<0>(clean));
  CHECK(std::get<1>(noisy) != std::get<1>(clean));
  CHECK(std::get<2>(noisy) != std::get<2>(clean));
  CHECK(std::get<3>(noisy) != std::get<3>(clean));
  auto dropping = small_transducer<double>(4, 0.5);
  TransducerTrainer trainer{dropping, SGD{}};
  const double loss = trainer.loss(x, labels);
  trainer.seed(7);
  CHECK(trainer.loss(x, labels, {.weight_noise = 1}) == loss);
  CHECK(trainer.step(x, labels) != loss);
  const auto model = small_transducer<double>(4);
  const auto unmoved = step(0.1, 0);
  CHECK(std::get<1>(unmoved) == model.encoder.weights());
  CHECK(std::get<2>(unmoved) == model.prediction.weights());
  CHECK(std::get<3>(unmoved) == model.output.weights());
}

TEST_CASE("Transducer: what does not fit is refused, and changes nothing", "[transducer]") {
  auto model = small_transducer<float>(1);
  TransducerTrainer trainer{model, SGD{}};
  const Tensor<float> x = noise<float>({2, 3, 2}, 1);
  const auto refusal = [&](const std::vector<Labels>& labels) {
    return error_text<Error>([&] { trainer.step(x, rows_of<float>(labels, 2)); });
  };
  CHECK(refusal({{1}}) == "labels: x has 2 samples, so labels have the shape (2, L); found (1, 2)");
  CHECK(refusal({{1}, {3}}) == "labels(1, 0) is 3, but the classes are 0 to 2");
  CHECK(refusal({{0, 1}, {2}}) ==
        "labels: sample 0: label 1 is 1, but label 0 is 0, which fills up rows behind their last "
        "label");
  const Tensor<float> one = rows_of<float>({{1}, {2}}, 1);
  Transducer narrow{Sequential{LSTM{3, return_sequences}}, Sequential{Embedding{3, 2}},
                    Sequential{Dense{3}}};
  TransducerTrainer narrow_trainer{narrow, SGD{}};
  CHECK(
      error_text<ShapeError>([&] { narrow_trainer.step(x, one); }) ==
      "Transducer: the encoder has outputs (2, 3, 3), so the prediction network needs outputs (B, "
      "U + 1, 3), found (2, 2, 2)");
  CHECK(!narrow.encoder.is_built());
  Transducer last{Sequential{LSTM{3}}, Sequential{Embedding{3, 3}}, Sequential{Dense{3}}};
  TransducerTrainer last_trainer{last, SGD{}};
  CHECK(error_text<ShapeError>([&] { last_trainer.step(x, one); }) ==
        "Transducer: the encoder needs outputs (B, T, J), found (2, 3)");
  Transducer both_ways{
      Sequential{LSTM{3, return_sequences}},
      Sequential{
          Embedding{3, 3},
          Bidirectional{SimpleRNN<float, Dynamic, Dynamic, return_sequences>{3}, Merge::sum}},
      Sequential{Dense{3}}};
  TransducerTrainer both_ways_trainer{both_ways, SGD{}};
  CHECK(error_text<ValueError>([&] {
          both_ways_trainer.step(x, one);
        }).starts_with("Transducer: the prediction network reads label by label: layer 1"));
  CHECK(!both_ways.encoder.is_built());
  CHECK(error_text<ValueError>([&] { trainer.step(x, one, {.weight_noise = -1}); }) ==
        "Transducer: weight_noise must be at least 0 and finite, found -1");
  Mask none(2, 3);
  for (Index t = 0; t < 3; ++t) none.set(1, t, false);
  CHECK(error_text<ValueError>([&] { trainer.step(x, one, {.mask = none}); }) ==
        "Transducer: no step of sample 1 counts");
  CHECK(error_text<ValueError>([&] {
          (void)transducer_greedy(model, x, {}, {.width = 0});
        }).starts_with("Transducer: width and labels_per_step must be at least 1"));
}
