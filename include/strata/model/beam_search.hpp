#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/sizes.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A sequence that BeamSearch found.
struct Beam {
  /// The classes after the prompt, with the class that ends the sequence where it has ended.
  std::vector<Index> classes;
  /// log p of `classes`, given the prompt.
  double log_probability = 0;
  /// log_probability divided by the penalty of the length. Sequences are ordered by it.
  double score = 0;
};

/// Searches the likeliest sequences of classes that follow a prompt. Among the beginnings of each
/// length, the search follows only the `width` likeliest: with a width of 1 it takes the likeliest
/// class at every step, with a width of all beginnings it misses no sequence.
///
///   Stream stream{model};
///   std::vector<Beam> best = BeamSearch{.width = 8, .steps = 40, .end = 0}(stream, prompt);
struct BeamSearch {
  /// The number of beginnings that are followed, at least 1, and the largest number of sequences
  /// that are found. 4, a small width, since the time of a search is proportional to it.
  Index width = 4;
  /// The length at which a sequence that has not ended is cut, at least 1. Say it: with the default
  /// of 1 the search finds the next class alone.
  Index steps = 1;
  /// The class that ends a sequence. -1: no class does, and all sequences have `steps` classes; the
  /// default, since which class means the end depends on the data.
  Index end = -1;
  /// alpha of Wu et al. 2016: score = log p / ((5 + length) / 6)^alpha. Each class lowers log p, so
  /// that an alpha above 0, such as 0.6, gives long sequences a chance beside short ones. 0, the
  /// default: sequences are ordered by log p itself.
  double length_penalty = 0;
  /// Whether the stream's outputs are logits, the numbers before a softmax. false, since most
  /// models of classes end with a softmax, whose outputs are probabilities.
  bool from_logits = false;

  /// At most `width` sequences, the best first. The outputs of the stream are one score for each
  /// class. The search feeds the prompt to a copy of the stream, which begins in the stream's
  /// present state. encode(id, x) writes the inputs of a step for class `id` to x, as ClassInput
  /// does.
  ///
  /// Throws ValueError on an empty prompt, on options out of range, and on outputs that are neither
  /// probabilities nor, with from_logits, logits.
  template <class Model, class Encode = ClassInput>
  [[nodiscard]] std::vector<Beam> operator()(Stream<Model> stream, std::span<const Index> prompt,
                                             const Encode& encode = {}) const {
    using Scalar = typename Stream<Model>::Scalar;
    check(stream.outputs());
    detail::check_prompt("BeamSearch", prompt);
    const auto follow = [&](Beam beam, std::span<const Index> classes) {
      const auto scores = detail::feed(stream, classes, encode);
      auto next =
          detail::log_probabilities("BeamSearch", {scores.begin(), scores.end()}, from_logits);
      return Beginning<Scalar>{std::move(beam), stream.state(), std::move(next)};
    };

    std::vector<Beam> found;
    std::vector<Beginning<Scalar>> open{follow({}, prompt)};
    for (Index length = 1; length <= steps && !is_settled(found, open); ++length) {
      std::vector<Beginning<Scalar>> longer;
      Index followed = 0;
      for (const Step& step : likeliest(open)) {
        if (followed == width) break;
        Beam beam = open[step.from].beam;
        beam.classes.push_back(step.id);
        beam.log_probability = step.log_probability;
        beam.score = step.log_probability / penalty(length);
        if (step.id != end) ++followed;
        if (step.id == end || length == steps) {
          found.push_back(std::move(beam));
        } else {
          stream.set_state(open[step.from].state);
          longer.push_back(follow(std::move(beam), std::span(&step.id, 1)));
        }
      }
      open = std::move(longer);
    }
    keep_best(found);
    return found;
  }

 private:
  /// A sequence that has not ended: the stream's state after it, and log p of each class as the
  /// next one.
  template <class Scalar>
  struct Beginning {
    Beam beam;
    State<Scalar> state;
    std::vector<double> next;
  };

  /// A class that may follow the beginning with the number `from`, and log p of the beginning and
  /// the class together.
  struct Step {
    double log_probability;
    std::size_t from;
    Index id;
  };

  void check(Index classes) const;

  [[nodiscard]] double penalty(Index length) const;

  /// The likeliest steps, sorted. `width` of them are followed, and each beginning ends with one
  /// class at most, so no more than `width` + open.size() are needed.
  template <class Scalar>
  [[nodiscard]] std::vector<Step> likeliest(const std::vector<Beginning<Scalar>>& open) const {
    std::vector<Step> all;
    for (std::size_t from = 0; from < open.size(); ++from) {
      for (std::size_t id = 0; id < open[from].next.size(); ++id) {
        if (detail::is_infinite(open[from].next[id])) continue;
        all.push_back(
            {open[from].beam.log_probability + open[from].next[id], from, static_cast<Index>(id)});
      }
    }
    const auto needed = std::min(all.size(), static_cast<std::size_t>(width) + open.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<Index>(needed), all.end(),
                      [](const Step& a, const Step& b) {
                        if (a.log_probability != b.log_probability) {
                          return a.log_probability > b.log_probability;
                        }
                        return a.from != b.from ? a.from < b.from : a.id < b.id;
                      });
    all.resize(needed);
    return all;
  }

  /// Sorts the sequences by score and drops all behind the first `width`.
  void keep_best(std::vector<Beam>& found) const;

  /// Whether no open beginning can still become better than the sequences found. The best score
  /// that a beginning can reach is its log p, which each further class lowers, at the length
  /// `steps`, where the penalty divides most.
  template <class Scalar>
  [[nodiscard]] bool is_settled(std::vector<Beam>& found,
                                const std::vector<Beginning<Scalar>>& open) const {
    if (open.empty()) return true;
    if (static_cast<Index>(found.size()) < width) return false;
    keep_best(found);
    return found.back().score >= open.front().beam.log_probability / penalty(steps);
  }
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/beam_search_definitions.hpp>
#endif
