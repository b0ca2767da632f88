#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/sizes.hpp>
#include <strata/model/sampling.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A sequence that BeamSearch found: without the prompt, with the class that ends it.
struct Beam {
  std::vector<Index> classes;
  /// log p of all of them, given the prompt.
  double log_probability = 0;
  /// The same, divided by the penalty of the length: what sequences are ordered by.
  double score = 0;
};

/// The likeliest sequences of classes that follow a prompt. Of the beginnings of each length, only
/// the `width` likeliest are followed: with 1 it is always the likeliest class that comes next;
/// with as many as there are, no sequence is missed.
///
///   Stream stream{model};
///   std::vector<Beam> best = BeamSearch{.width = 8, .steps = 40, .end = 0}(stream, prompt);
struct BeamSearch {
  /// The beginnings that are followed, and the most sequences that are found.
  Index width = 4;
  /// The length at which sequences that have not ended are cut.
  Index steps = 1;
  /// The class that ends a sequence; -1: none does.
  Index end = -1;
  /// alpha of Wu et al. 2016: score = log p / ((5 + length) / 6)^alpha, so that long sequences have
  /// a chance beside short ones. 0: log p.
  double length_penalty = 0;
  /// The stream's outputs are those before a softmax.
  bool from_logits = false;

  /// The best sequences, the best first. The stream gives one score for each class; the search goes
  /// on from where it is, on a copy. encode(id, x) fills x with the inputs of a step, see
  /// ClassInput.
  ///
  /// Throws ValueError on an empty prompt, options out of range, and outputs that are no
  /// probabilities.
  template <class Model, class Encode = ClassInput>
  [[nodiscard]] std::vector<Beam> operator()(Stream<Model> stream, std::span<const Index> prompt,
                                             const Encode& encode = {}) const {
    using Scalar = typename Stream<Model>::Scalar;
    check(stream.outputs());
    detail::check_prompt("BeamSearch", prompt);
    const auto follow = [&](Beam beam, std::span<const Index> classes) {
      const auto scores = detail::feed(stream, classes, encode);
      auto next = detail::log_probabilities("BeamSearch", scores, from_logits);
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
  /// A sequence that goes on: where the stream is after it, and log p of what may come next.
  template <class Scalar>
  struct Beginning {
    Beam beam;
    State<Scalar> state;
    std::vector<double> next;
  };

  /// A class that may follow a beginning, and log p of both together.
  struct Step {
    double log_probability;
    std::size_t from;
    Index id;
  };

  void check(Index classes) const {
    const auto fail = [](const char* what, auto found) {
      detail::fail<ValueError>({"BeamSearch: ", what, ", found ", found});
    };
    detail::sizes::check("BeamSearch", "width", width);
    detail::sizes::check("BeamSearch", "steps", steps);
    if (end < -1 || end >= classes) fail("end must be a class, or -1", end);
    if (detail::is_nan(length_penalty) || length_penalty < 0)
      fail("length_penalty must be at least 0", length_penalty);
  }

  [[nodiscard]] double penalty(Index length) const {
    return std::pow((5 + static_cast<double>(length)) / 6, length_penalty);
  }

  /// As many of the likeliest steps as can be needed: each beginning ends in one way at most.
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

  /// Sorts, and keeps `width`.
  void keep_best(std::vector<Beam>& found) const {
    std::stable_sort(found.begin(), found.end(),
                     [](const Beam& a, const Beam& b) { return a.score > b.score; });
    if (static_cast<Index>(found.size()) > width) found.resize(static_cast<std::size_t>(width));
  }

  /// Whether nothing that is open can become better than what is found: log p only falls, and the
  /// penalty is the mildest at the full length.
  template <class Scalar>
  [[nodiscard]] bool is_settled(std::vector<Beam>& found,
                                const std::vector<Beginning<Scalar>>& open) const {
    if (open.empty()) return true;
    if (static_cast<Index>(found.size()) < width) return false;
    keep_best(found);
    return found.back().score >= open.front().beam.log_probability / penalty(steps);
  }
};

}  // namespace strata::inline STRATA_TARGET
