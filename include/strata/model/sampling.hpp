#pragma once

#include <algorithm>
#include <concepts>
#include <iterator>
#include <span>
#include <type_traits>
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
concept ScoreRange = requires(const Scores& scores) {
  std::end(scores);
  requires std::floating_point<std::remove_cvref_t<decltype(*std::begin(scores))>>;
};

/// log p of each class. Scores need not have the sum 1. Throws ValueError when there are none, when
/// one is not a number, plus infinity or, without from_logits, negative, and when no class has a
/// probability above 0.
[[nodiscard]] std::vector<double> log_probabilities(const char* what,
                                                    const std::vector<double>& scores,
                                                    bool from_logits);

/// The class that strata::sample draws.
[[nodiscard]] Index sample(const std::vector<double>& scores, const SampleOptions& options,
                           Random& random);

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

void check_prompt(const char* what, std::span<const Index> prompt);

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
  return detail::sample({std::begin(scores), std::end(scores)}, options, random);
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
    if (!drawn.empty()) scores = detail::feed(stream, {&drawn.back(), 1}, encode);
    drawn.push_back(sample(scores, options, random));
  }
  return drawn;
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/sampling_definitions.hpp>
#endif
