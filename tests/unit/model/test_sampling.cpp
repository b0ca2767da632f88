#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <strata/layers/dense.hpp>
#include <strata/layers/embedding.hpp>
#include <strata/layers/lstm.hpp>
#include <strata/model/beam_search.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/sequential.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"

// Drawing classes, writing on, and beam search.

namespace {

using namespace strata;
using strata::test::error_text;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const std::vector<double> probabilities{0.1, 0.4, 0.0, 0.3, 0.2};

std::vector<double> logits_of(const std::vector<double>& p) {
  std::vector<double> logits;
  for (const double value : p) logits.push_back(std::log(value) + 3);
  return logits;
}

/// Draws many times; each count lies within five standard deviations of its expected value.
template <class Scores>
void check_distribution(const Scores& scores, const SampleOptions& options,
                        const std::vector<double>& expected) {
  constexpr int count = 40000;
  std::vector<int> hits(expected.size());
  Random random(17);
  for (int i = 0; i < count; ++i) {
    const Index id = sample(scores, options, random);
    REQUIRE((id >= 0 && id < static_cast<Index>(expected.size())));
    ++hits[static_cast<std::size_t>(id)];
  }
  for (std::size_t id = 0; id < expected.size(); ++id) {
    INFO("class " << id << ": " << hits[id] << " of " << count);
    const double p = expected[id];
    REQUIRE(std::abs(hits[id] - count * p) <= 5 * std::sqrt(count * p * (1 - p)));
  }
}

/// A model whose scores depend on all classes read so far. Outputs: a softmax, or its inputs.
Sequential<double> small_model(Index classes, bool softmax = true, Index inputs = 0) {
  Sequential<double> model;
  model.add(Input{Dynamic, inputs > 0 ? inputs : classes});
  model.add(LSTM{6, return_sequences, {.kernel_initializer = RandomNormal{.stddev = 2}}});
  model.add(Dense{classes,
                  {.activation = softmax ? Activation::softmax : Activation::linear,
                   .kernel_initializer = RandomNormal{.stddev = 1.5}}});
  model.initialize(4);
  return model;
}

/// Every sequence of classes that ends with `end` or has the full length, with its log p, which is
/// computed by predict.
std::map<std::vector<Index>, double> enumerate(const Sequential<double>& model, Index classes,
                                               const std::vector<Index>& prompt, Index steps,
                                               Index end) {
  std::map<std::vector<Index>, double> finished;
  std::map<std::vector<Index>, double> open{{{}, 0.0}};
  for (Index length = 1; length <= steps; ++length) {
    std::map<std::vector<Index>, double> longer;
    for (const auto& [beginning, log_probability] : open) {
      std::vector<Index> read = prompt;
      read.insert(read.end(), beginning.begin(), beginning.end());
      Tensor<double> x({1, static_cast<Index>(read.size()), classes});
      for (std::size_t t = 0; t < read.size(); ++t) x(0, static_cast<Index>(t), read[t]) = 1;
      const auto y = model.predict(x);
      for (Index id = 0; id < classes; ++id) {
        auto sequence = beginning;
        sequence.push_back(id);
        auto& to = id == end || length == steps ? finished : longer;
        to[sequence] = log_probability + std::log(y(0, x.steps() - 1, id));
      }
    }
    open = std::move(longer);
  }
  return finished;
}

}  // namespace

TEST_CASE("sample: classes come as often as they are likely", "[sampling]") {
  check_distribution(probabilities, {}, probabilities);
  check_distribution(logits_of(probabilities), {.from_logits = true}, probabilities);
  const std::array<float, 3> floats{0.25f, 0.25f, 0.5f};
  check_distribution(std::span<const float, 3>(floats), {}, {0.25, 0.25, 0.5});
}

TEST_CASE("sample: probabilities need not sum to one", "[sampling]") {
  check_distribution(std::vector<double>{2, 6}, {}, {0.25, 0.75});
}

TEST_CASE("sample: temperature is a power of the probabilities", "[sampling]") {
  for (const double temperature : {0.3, 0.5, 2.0, 10.0}) {
    INFO(temperature);
    std::vector<double> expected;
    double sum = 0;
    for (const double p : probabilities) {
      expected.push_back(std::pow(p, 1 / temperature));
      sum += expected.back();
    }
    for (double& p : expected) p /= sum;
    check_distribution(probabilities, {.temperature = temperature}, expected);
    check_distribution(logits_of(probabilities), {.temperature = temperature, .from_logits = true},
                       expected);
  }
}

TEST_CASE("sample: limits of the temperature", "[sampling]") {
  check_distribution(probabilities, {.temperature = 0}, {0, 1, 0, 0, 0});
  check_distribution(probabilities, {.temperature = 1e-3}, {0, 1, 0, 0, 0});
  check_distribution(probabilities, {.temperature = 1e-310}, {0, 1, 0, 0, 0});
  check_distribution(probabilities, {.temperature = 1e300}, {0.25, 0.25, 0, 0.25, 0.25});
  // Of equals the first is the likeliest.
  check_distribution(std::vector<double>{1, 3, 3}, {.temperature = 0}, {0, 1, 0});
  const std::vector<double> wide{-1e308, 1e308, -infinity};
  check_distribution(wide, {.temperature = 1, .from_logits = true}, {0, 1, 0});
}

TEST_CASE("sample: top_k leaves the k likeliest classes", "[sampling]") {
  check_distribution(probabilities, {.top_k = 1}, {0, 1, 0, 0, 0});
  check_distribution(probabilities, {.top_k = 2}, {0, 4 / 7.0, 0, 3 / 7.0, 0});
  check_distribution(probabilities, {.top_k = 3}, {0, 4 / 9.0, 0, 3 / 9.0, 2 / 9.0});
  check_distribution(probabilities, {.top_k = 5}, probabilities);
  check_distribution(probabilities, {.top_k = 100}, probabilities);
  check_distribution(probabilities, {.temperature = 0.5, .top_k = 2},
                     {0, 16 / 25.0, 0, 9 / 25.0, 0});
  // Of equals the first stay.
  check_distribution(std::vector<double>(6, 0.1), {.top_k = 2}, {0.5, 0.5, 0, 0, 0, 0});

  Random random(5);
  for (int i = 0; i < 300; ++i) {
    std::vector<double> logits(50);
    for (double& logit : logits) logit = random.normal();
    const Index k = 1 + random.below(10);
    const Index id = sample(logits, {.temperature = 5, .top_k = k, .from_logits = true}, random);
    const double drawn = logits[static_cast<std::size_t>(id)];
    REQUIRE(test::count_if(logits, [&](double other) { return other > drawn; }) < k);
  }
}

TEST_CASE("sample: the same seed draws the same classes", "[sampling]") {
  Random a(8);
  Random b(8);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(sample(probabilities, {}, a) == sample(probabilities, {}, b));
  }
}

TEST_CASE("sample: errors", "[sampling]") {
  Random random;
  const auto error = [&](const std::vector<double>& scores, const SampleOptions& options) {
    return error_text<ValueError>([&] { (void)sample(scores, options, random); });
  };
  REQUIRE(error({}, {}) == "sample: there are no classes");
  REQUIRE(error({0.5, not_a_number}, {}) == "sample: the probability of class 1 is nan");
  REQUIRE(error({not_a_number}, {.temperature = 0, .from_logits = true}) ==
          "sample: the logit of class 0 is nan");
  REQUIRE(error({0.5, -0.1}, {}) == "sample: the probability of class 1 is -0.1");
  REQUIRE(error({0.5, infinity}, {}) == "sample: the probability of class 1 is inf");
  REQUIRE(error({0.5, infinity}, {.from_logits = true}) == "sample: the logit of class 1 is inf");
  REQUIRE(error({0, 0}, {}) == "sample: no class has a probability above 0");
  REQUIRE(error({-infinity}, {.from_logits = true}) ==
          "sample: no class has a probability above 0");
  REQUIRE(error({1}, {.temperature = -0.5}) ==
          "sample: temperature must be at least 0, found -0.5");
  REQUIRE(error({1}, {.temperature = not_a_number}) ==
          "sample: temperature must be at least 0, found nan");
  REQUIRE(error({1}, {.temperature = infinity}) ==
          "sample: temperature must be at least 0, found inf");
  REQUIRE(error({1}, {.top_k = -1}) == "sample: top_k must be at least 1, or 0, found -1");
}

TEST_CASE("generate: the likeliest class each time is what predict says", "[sampling]") {
  constexpr Index classes = 5;
  const auto model = small_model(classes);
  const std::vector<Index> prompt{3, 0, 2};
  Stream stream{model};
  Random random;
  const auto drawn = generate(stream, prompt, 12, {.temperature = 0}, random);
  REQUIRE(drawn.size() == 12);

  std::vector<Index> all = prompt;
  all.insert(all.end(), drawn.begin(), drawn.end());
  Tensor<double> x({1, static_cast<Index>(all.size()), classes});
  for (std::size_t t = 0; t < all.size(); ++t) x(0, static_cast<Index>(t), all[t]) = 1;
  const auto y = model.predict(x);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    Index best = 0;
    y.sequence(0).row(static_cast<Index>(prompt.size() + i) - 1).maxCoeff(&best);
    REQUIRE(drawn[i] == best);
  }
}

TEST_CASE("generate: in two parts as at once", "[sampling]") {
  const auto model = small_model(4, false);
  const std::vector<Index> prompt{1, 2};
  const SampleOptions options{.temperature = 1.5, .top_k = 3, .from_logits = true};
  Stream whole{model};
  Random random(2);
  const auto expected = generate(whole, prompt, 30, options, random);

  Stream parts{model};
  Random again(2);
  auto found = generate(parts, prompt, 11, options, again);
  const auto rest = generate(parts, std::vector<Index>{found.back()}, 19, options, again);
  found.insert(found.end(), rest.begin(), rest.end());
  REQUIRE(found == expected);
  REQUIRE(parts.state() == whole.state());
}

TEST_CASE("generate: other inputs than one-hot", "[sampling]") {
  const auto model = small_model(4, true, 2);
  Stream stream{model};
  Random random(1);
  std::vector<Index> seen;
  const auto encode = [&](Index id, std::span<double> x) {
    seen.push_back(id);
    x[0] = id < 2 ? 1 : -1;
    x[1] = id % 2 == 0 ? 1 : -1;
  };
  const auto drawn = generate(stream, std::vector<Index>{3, 1}, 4, {}, random, encode);
  REQUIRE(seen == std::vector<Index>{3, 1, drawn[0], drawn[1], drawn[2]});
}

TEST_CASE("generate: an Embedding takes the classes' numbers", "[sampling]") {
  constexpr Index classes = 7;
  Sequential<double> model;
  model.add(Embedding{classes, 3, {.embeddings_initializer = RandomNormal{}}});
  model.add(LSTM{5, return_sequences});
  model.add(Dense{classes, {.kernel_initializer = RandomNormal{.stddev = 2}}});
  const std::vector<Index> prompt{6, 1};
  Random random;
  Stream stream{model};
  const auto drawn = generate(stream, prompt, 10, {.temperature = 0, .from_logits = true}, random);
  const auto found =
      BeamSearch{.width = 1, .steps = 10, .from_logits = true}(Stream{model}, prompt);
  REQUIRE(found.front().classes == drawn);

  std::vector<double> all(prompt.begin(), prompt.end());
  all.insert(all.end(), drawn.begin(), drawn.end());
  const auto y = model.predict(Tensor<double>({1, static_cast<Index>(all.size())}, all));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    Index best = 0;
    y.sequence(0).row(static_cast<Index>(prompt.size() + i) - 1).maxCoeff(&best);
    REQUIRE(drawn[i] == best);
  }
  // The stream answers a number that is no class with numbers that are none.
  const std::string error = error_text<ValueError>([&] {
    (void)generate(stream, std::vector<Index>{classes}, 1, {.from_logits = true}, random);
  });
  REQUIRE(error == "sample: the logit of class 0 is nan");
}

TEST_CASE("generate: errors", "[sampling]") {
  const auto model = small_model(4);
  Stream stream{model};
  Random random;
  const auto error = [&](const std::vector<Index>& prompt, Index steps) {
    return error_text<ValueError>([&] { (void)generate(stream, prompt, steps, {}, random); });
  };
  REQUIRE(error({}, 3) ==
          "generate: the prompt is empty; one class at least is needed to begin with");
  REQUIRE(error({1}, -3) == "generate: steps must be at least 0, found -3");
  REQUIRE(error({4}, 3) == "class 4 of 4");
  REQUIRE(error({-1}, 3) == "class -1 of 4");
}

TEST_CASE("BeamSearch: wide enough it finds the best of all sequences", "[sampling]") {
  constexpr Index classes = 3;
  constexpr Index steps = 5;
  const auto model = small_model(classes);
  const auto before_softmax = small_model(classes, false);
  const std::vector<Index> prompt{2, 0};
  for (const Index end : {Index{-1}, Index{0}, Index{1}, Index{2}}) {
    for (const double alpha : {0.0, 0.6, 1.0, 3.0}) {
      INFO("end " << end << ", length penalty " << alpha);
      std::vector<Beam> expected;
      for (const auto& [sequence, log_probability] :
           enumerate(model, classes, prompt, steps, end)) {
        const double length = static_cast<double>(sequence.size());
        expected.push_back(
            {sequence, log_probability, log_probability / std::pow((5 + length) / 6, alpha)});
      }
      std::sort(expected.begin(), expected.end(),
                [](const Beam& a, const Beam& b) { return a.score > b.score; });
      const BeamSearch search{.width = 243, .steps = steps, .end = end, .length_penalty = alpha};
      BeamSearch by_logits = search;
      by_logits.from_logits = true;
      for (const auto& found :
           {search(Stream{model}, prompt), by_logits(Stream{before_softmax}, prompt)}) {
        REQUIRE(found.size() == expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          REQUIRE(found[i].classes == expected[i].classes);
          REQUIRE(std::abs(found[i].log_probability - expected[i].log_probability) < 1e-12);
          REQUIRE(std::abs(found[i].score - expected[i].score) < 1e-12);
        }
      }
      // Fewer come out of a narrow search, each with its own figures, and it may stop early.
      BeamSearch narrow = search;
      for (narrow.width = 1; narrow.width <= 12; ++narrow.width) {
        const auto found = narrow(Stream{model}, prompt);
        REQUIRE(!found.empty());
        REQUIRE(static_cast<Index>(found.size()) <= narrow.width);
        for (const Beam& beam : found) {
          const auto same = std::find_if(expected.begin(), expected.end(), [&](const Beam& other) {
            return other.classes == beam.classes;
          });
          REQUIRE(same != expected.end());
          REQUIRE(std::abs(beam.score - same->score) < 1e-12);
        }
      }
    }
  }
}

TEST_CASE("BeamSearch: width 1 is the likeliest class each time", "[sampling]") {
  const auto model = small_model(6);
  const std::vector<Index> prompt{4};
  Stream stream{model};
  const auto before = stream.state();
  const auto found = BeamSearch{.width = 1, .steps = 9}(stream, prompt);
  REQUIRE(stream.state() == before);
  Random random;
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].classes == generate(stream, prompt, 9, {.temperature = 0}, random));
}

TEST_CASE("BeamSearch: a wider search finds what a greedy one misses", "[sampling]") {
  // After class 1, the likeliest, nothing is likely; after class 2 one thing is.
  Sequential<double> model;
  model.add(Input{Dynamic, 4});
  model.add(Dense{4, {.activation = Activation::softmax, .use_bias = false}});
  const std::vector<std::vector<double>> table{
      {0, 0.5, 0.4, 0.1}, {0, 0.34, 0.33, 0.33}, {0, 0.05, 0.05, 0.9}, {0, 0.3, 0.3, 0.4}};
  auto dense = model.layer(0).as<Dense<double>>();
  REQUIRE(dense);
  for (Index from = 0; from < 4; ++from) {
    for (Index to = 0; to < 4; ++to) {
      const double p = table[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
      dense->kernel()(to, from) = p > 0 ? std::log(p) : -1000;
    }
  }
  const std::vector<Index> prompt{0};
  const auto greedy = BeamSearch{.width = 1, .steps = 2}(Stream{model}, prompt);
  REQUIRE(greedy.front().classes == std::vector<Index>{1, 1});
  const auto best = BeamSearch{.width = 2, .steps = 2}(Stream{model}, prompt);
  REQUIRE(best.front().classes == std::vector<Index>{2, 3});
  REQUIRE(std::abs(best.front().log_probability - std::log(0.36)) < 1e-12);

  // Class 0 is impossible: it is never part of a sequence, however wide the search.
  const auto all = BeamSearch{.width = 100, .steps = 3}(Stream{model}, prompt);
  REQUIRE(all.size() == 27);

  // 3 ends: at once it has 0.1, after 2 it has 0.36. Divided by the length, longer is better.
  const auto ends = BeamSearch{.width = 8, .steps = 6, .end = 3}(Stream{model}, prompt);
  REQUIRE(ends.front().classes == std::vector<Index>{2, 3});
}

TEST_CASE("BeamSearch: errors", "[sampling]") {
  const auto model = small_model(3);
  const auto error = [&](const BeamSearch& search, const std::vector<Index>& prompt = {0}) {
    return error_text<ValueError>([&] { (void)search(Stream{model}, prompt); });
  };
  REQUIRE(error({.width = 0}) == "BeamSearch: width must be at least 1, found 0");
  REQUIRE(error({.steps = 0}) == "BeamSearch: steps must be at least 1, found 0");
  REQUIRE(error({.end = 3}) == "BeamSearch: end must be a class, or -1, found 3");
  REQUIRE(error({.end = -2}) == "BeamSearch: end must be a class, or -1, found -2");
  REQUIRE(error({.length_penalty = -1}) ==
          "BeamSearch: length_penalty must be at least 0, found -1");
  REQUIRE(error({.length_penalty = not_a_number}) ==
          "BeamSearch: length_penalty must be at least 0, found nan");
  REQUIRE(error({}, {}) ==
          "BeamSearch: the prompt is empty; one class at least is needed to begin with");
  const auto logits = small_model(3, false);
  REQUIRE(error_text<ValueError>([&] {
            (void)BeamSearch{.width = 9, .steps = 4}(Stream{logits}, std::vector<Index>{0});
          }).find("BeamSearch: the probability of class ") == 0);
}
