#pragma once

#include <span>
#include <utility>
#include <vector>

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
    std::vector<Beginning> open;
    std::vector<State<Scalar>> states;
    const auto follow = [&](Beam beam, std::span<const Index> classes, auto& beginnings,
                            auto& states_behind) {
      const auto scores = detail::feed(stream, classes, encode);
      beginnings.push_back(
          {std::move(beam),
           detail::log_probabilities("BeamSearch", {scores.begin(), scores.end()}, from_logits)});
      states_behind.push_back(stream.state());
    };

    std::vector<Beam> found;
    follow({}, prompt, open, states);
    for (Index length = 1; length <= steps && !is_settled(found, open); ++length) {
      std::vector<Beginning> longer;
      std::vector<State<Scalar>> longer_states;
      Index followed = 0;
      for (const Step& step : likeliest(open)) {
        if (followed == width) break;
        Beam beam = beam_after(open[step.from].beam, step);
        if (step.id != end) ++followed;
        if (step.id == end || length == steps) {
          found.push_back(std::move(beam));
        } else {
          stream.set_state(states[step.from]);
          follow(std::move(beam), {&step.id, 1}, longer, longer_states);
        }
      }
      open = std::move(longer);
      states = std::move(longer_states);
    }
    keep_best(found);
    return found;
  }

 private:
  /// A sequence that has not ended, and log p of each class as the next one.
  struct Beginning {
    Beam beam;
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

  /// The sequence one class longer.
  [[nodiscard]] Beam beam_after(Beam beam, const Step& step) const;

  /// The likeliest steps, sorted. `width` of them are followed, and each beginning ends with one
  /// class at most, so no more than `width` + open.size() are needed.
  [[nodiscard]] std::vector<Step> likeliest(const std::vector<Beginning>& open) const;

  /// Sorts the sequences by score and drops all behind the first `width`.
  void keep_best(std::vector<Beam>& found) const;

  /// Whether no open beginning can still become better than the sequences found. The best score
  /// that a beginning can reach is its log p, which each further class lowers, at the length
  /// `steps`, where the penalty divides most.
  [[nodiscard]] bool is_settled(std::vector<Beam>& found, const std::vector<Beginning>& open) const;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/beam_search_definitions.hpp>
#endif
