#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <numeric>
#include <ranges>
#include <span>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/model/stream.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Options of sample and generate: how a class is drawn from its scores.
///
///   generate(stream, prompt, 200, {.temperature = 0.5, .top_k = 10}, random)
struct SampleOptions {
  /// Probabilities are raised to the power of 1 / temperature and scaled to the sum 1. A
  /// temperature below 1 makes likely classes likelier, one above 1 makes them less likely; 0
  /// always takes the likeliest class. 1, since it draws from the model's own probabilities.
  double temperature = 1;
  /// The class is drawn among the top_k likeliest classes only (Fan, Lewis & Dauphin 2018). 0, the
  /// default: among all classes.
  Index top_k = 0;
  /// Whether the scores are logits, the numbers before a softmax. false, since most models of
  /// classes end with a softmax, whose outputs are probabilities.
  bool from_logits = false;
};

/// Writes a class as the F inputs of a step, for generate and BeamSearch: its number where F is 1,
/// as for an Embedding; otherwise one-hot, a one at its place and zeros elsewhere.
struct ClassInput {
  /// Throws ValueError where F is above 1 and the class is not in [0, F).
  template <class Scalar>
  void operator()(Index id, std::span<Scalar> x) const {
    if (x.size() == 1) {
      x[0] = static_cast<Scalar>(id);
      return;
    }
    if (id < 0 || id >= static_cast<Index>(x.size())) {
      detail::fail<ValueError>({"class ", id, " of ", x.size()});
    }
    std::fill(x.begin(), x.end(), Scalar(0));
    x[static_cast<std::size_t>(id)] = 1;
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scores>
concept ScoreRange = std::ranges::sized_range<const Scores> &&
    std::floating_point<std::ranges::range_value_t<const Scores>>;

/// log p of each class. Scores need not have the sum 1. Throws ValueError when there are none, when
/// one is not a number, plus infinity or, without from_logits, negative, and when no class has a
/// probability above 0.
template <ScoreRange Scores>
[[nodiscard]] std::vector<double> log_probabilities(const char* what, const Scores& scores,
                                                    bool from_logits) {
  if (std::ranges::empty(scores)) fail<ValueError>({what, ": there are no classes"});
  std::vector<double> logs;
  logs.reserve(std::ranges::size(scores));
  for (const auto score : scores) {
    const auto value = static_cast<double>(score);
    // Minus infinity excludes a class, as the probability 0 does.
    const bool is_wrong = is_nan(value) || (is_infinite(value) && !std::signbit(value)) ||
                          (!from_logits && value < 0);
    if (is_wrong) {
      fail<ValueError>({what, ": the ", from_logits ? "logit" : "probability", " of class ",
                        logs.size(), " is ", value});
    }
    logs.push_back(from_logits ? value : std::log(value));
  }
  const double largest = *std::max_element(logs.begin(), logs.end());
  if (is_infinite(largest)) fail<ValueError>({what, ": no class has a probability above 0"});
  double sum = 0;
  for (const double log : logs) {
    if (!is_infinite(log)) sum += std::exp(log - largest);
  }
  const double total = largest + std::log(sum);
  for (double& log : logs) log -= total;
  return logs;
}

/// Feeds classes to a stream, at least one, and returns a view of its outputs after the last.
template <class Model, class Encode>
[[nodiscard]] auto feed(Stream<Model>& stream, std::span<const Index> classes,
                        const Encode& encode) {
  using Scalar = typename Stream<Model>::Scalar;
  std::vector<Scalar> x(static_cast<std::size_t>(stream.inputs()));
  const Scalar* y = nullptr;
  for (const Index id : classes) {
    encode(id, std::span<Scalar>(x));
    y = stream.step(x.data());
  }
  return std::span<const Scalar>(y, static_cast<std::size_t>(stream.outputs()));
}

inline void check_prompt(const char* what, std::span<const Index> prompt) {
  if (!prompt.empty()) return;
  fail<ValueError>({what, ": the prompt is empty; one class at least is needed to begin with"});
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// Draws a class by its probability. `scores` holds one number for each class: the outputs of a
/// softmax, or logits with from_logits. Where classes are equally likely, temperature 0 and top_k
/// prefer the smaller class number.
///
/// Throws ValueError on scores that are empty, not numbers or plus infinity, on probabilities that
/// are negative or all zero, and on a temperature or top_k that is negative.
template <detail::ScoreRange Scores>
[[nodiscard]] Index sample(const Scores& scores, const SampleOptions& options, Random& random) {
  if (!detail::is_finite(options.temperature) || options.temperature < 0) {
    detail::fail<ValueError>(
        {"sample: temperature must be at least 0, found ", options.temperature});
  }
  if (options.top_k < 0) {
    detail::fail<ValueError>({"sample: top_k must be at least 1, or 0, found ", options.top_k});
  }
  std::vector<double> weights = detail::log_probabilities("sample", scores, options.from_logits);
  const auto likeliest = std::max_element(weights.begin(), weights.end());
  if (options.temperature == 0) return likeliest - weights.begin();

  const auto count = static_cast<Index>(weights.size());
  std::vector<Index> order(weights.size());
  std::iota(order.begin(), order.end(), Index{0});
  if (options.top_k > 0 && options.top_k < count) {
    const auto last = order.begin() + options.top_k;
    std::nth_element(order.begin(), last, order.end(), [&](Index a, Index b) {
      const double first = weights[static_cast<std::size_t>(a)];
      const double second = weights[static_cast<std::size_t>(b)];
      return first > second || (first == second && a < b);
    });
    order.erase(last, order.end());
    std::sort(order.begin(), order.end());
  }
  const double largest = *likeliest;
  double sum = 0;
  for (const Index id : order) {
    double& weight = weights[static_cast<std::size_t>(id)];
    weight = detail::is_infinite(weight) ? 0 : std::exp((weight - largest) / options.temperature);
    sum += weight;
  }
  double rest = random.uniform() * sum;
  Index drawn = order.front();
  for (const Index id : order) {
    const double weight = weights[static_cast<std::size_t>(id)];
    if (weight == 0) continue;
    drawn = id;
    rest -= weight;
    if (rest < 0) break;
  }
  return drawn;
}

/// Continues a sequence of classes: feeds the classes of the prompt to the stream, draws a class
/// from its outputs, feeds that class, and so on until `steps` classes are drawn, which it returns.
/// The stream has not read the last of them: to go on later, call generate with the last class as
/// the prompt.
///
/// The outputs of the stream are one score for each class. encode(id, x) writes the inputs of a
/// step for class `id` to x, as ClassInput does.
///
///   Stream stream{model};
///   auto text = generate(stream, prompt, 200, {.temperature = 0.5, .top_k = 10}, random);
///
/// Throws ValueError on an empty prompt and negative steps, MemoryError when there is no memory for
/// `steps` classes, and what `sample` throws.
template <class Model, class Encode = ClassInput>
[[nodiscard]] std::vector<Index> generate(Stream<Model>& stream, std::span<const Index> prompt,
                                          Index steps, const SampleOptions& options, Random& random,
                                          const Encode& encode = {}) {
  detail::check_prompt("generate", prompt);
  if (steps < 0) {
    detail::fail<ValueError>({"generate: steps must be at least 0, found ", steps});
  }
  std::vector<Index> drawn;
  detail::sizes::reserve(drawn, steps);
  auto scores = detail::feed(stream, prompt, encode);
  while (static_cast<Index>(drawn.size()) < steps) {
    if (!drawn.empty()) scores = detail::feed(stream, std::span(drawn).last(1), encode);
    drawn.push_back(sample(scores, options, random));
  }
  return drawn;
}

}  // namespace strata::inline STRATA_RUNTIME
