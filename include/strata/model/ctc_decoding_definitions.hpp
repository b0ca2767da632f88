#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/mask.hpp>
#include <strata/model/ctc_decoding.hpp>
#include <strata/sequence_view.hpp>
#include <strata/shape.hpp>
#include <strata/support/counted_steps.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The search for the likeliest label sequence of one sample. Label sequences are nodes of a tree,
/// so that a sequence which is left and found again is the same one.
class CTCPrefixSearch {
 public:
  explicit CTCPrefixSearch(Index width) : width_(static_cast<std::size_t>(width)) {
    nodes_.push_back({-1, 0, {}});
    beams_.push_back({.node = 0, .log_blank = 0});
  }

  /// Reads log p of the classes at the next step.
  void step(std::span<const double> log_probabilities) {
    std::vector<Beam> next;
    place_.assign(nodes_.size(), none);
    for (const Beam& beam : beams_) {
      const double either = beam.log_probability();
      const Index last = nodes_[beam.node].label;
      Beam& same = at_node(next, beam.node);
      same.log_blank = log_sum(same.log_blank, either + log_probabilities[0]);
      if (last > 0) {
        const double log_label = log_probabilities[static_cast<std::size_t>(last)];
        same.log_label = log_sum(same.log_label, beam.log_label + log_label);
      }
      for (std::size_t c = 1; c < log_probabilities.size(); ++c) {
        // An equal label is a new one only behind a blank.
        const auto label = static_cast<Index>(c);
        const double before = label == last ? beam.log_blank : either;
        if (before < log_of_zero / 2) continue;
        const std::size_t node = child(beam.node, label);
        Beam& longer = node == none ? next.emplace_back(Beam{.parent = beam.node, .label = label})
                                    : at_node(next, node);
        longer.log_label = log_sum(longer.log_label, before + log_probabilities[c]);
      }
    }
    std::stable_sort(next.begin(), next.end(), [](const Beam& a, const Beam& b) {
      return a.log_probability() > b.log_probability();
    });
    if (next.size() > width_) next.resize(width_);
    for (Beam& beam : next) {
      if (beam.node != none) continue;
      beam.node = nodes_.size();
      nodes_[beam.parent].children.emplace_back(beam.label, beam.node);
      nodes_.push_back({static_cast<Index>(beam.parent), beam.label, {}});
    }
    beams_ = std::move(next);
  }

  /// The labels of the likeliest sequence so far.
  [[nodiscard]] std::vector<Index> best() const {
    std::vector<Index> labels;
    const Node* node = &nodes_[beams_.front().node];
    for (; node->parent >= 0; node = &nodes_[static_cast<std::size_t>(node->parent)]) {
      labels.push_back(node->label);
    }
    std::reverse(labels.begin(), labels.end());
    return labels;
  }

 private:
  static constexpr auto none = static_cast<std::size_t>(-1);

  /// The sequence of node `parent` and one label more. Node 0 is the empty sequence.
  struct Node {
    Index parent;
    Index label;
    std::vector<std::pair<Index, std::size_t>> children;
  };
  /// A sequence, at its node or, while it has none, behind its parent, and the logarithms of its
  /// probability by alignments that end with a blank and by those that end with its last label.
  struct Beam {
    std::size_t node = none;
    std::size_t parent = none;
    Index label = 0;
    double log_blank = log_of_zero;
    double log_label = log_of_zero;

    [[nodiscard]] double log_probability() const { return log_sum(log_blank, log_label); }
  };

  [[nodiscard]] std::size_t child(std::size_t node, Index label) const {
    for (const auto& [its_label, its_node] : nodes_[node].children) {
      if (its_label == label) return its_node;
    }
    return none;
  }

  /// The beam of a node, which is added where it is missing.
  [[nodiscard]] Beam& at_node(std::vector<Beam>& beams, std::size_t node) {
    if (place_[node] == none) {
      place_[node] = beams.size();
      beams.push_back({.node = node});
    }
    return beams[place_[node]];
  }

  std::size_t width_;
  std::vector<Node> nodes_;
  std::vector<Beam> beams_;
  /// For each node its place among the beams of the next step.
  std::vector<std::size_t> place_;
};

/// Throws ShapeError unless the predictions are (B, T, C) and the mask is empty or (B, T).
template <class Scalar>
void check_decoded(const char* function, const Tensor<Scalar>& prediction, const Mask& mask) {
  if (prediction.rank() != 3 || prediction.features() < 1) {
    fail<ShapeError>({function, ": needs predictions (B, T, C), found ", prediction.shape()});
  }
  if (!mask.empty() && (mask.batch() != prediction.batch() || mask.steps() != prediction.steps())) {
    fail<ShapeError>({function, ": the predictions have the shape ", prediction.shape(),
                      ", the mask ", Shape{mask.batch(), mask.steps()}});
  }
}

template <class Scalar>
std::vector<Index> ctc_greedy(SequenceView<const Scalar> logits, std::span<const bool> counts) {
  std::vector<Index> labels;
  Index last = 0;
  for (const Index t : counted_steps(counts)) {
    const std::span<const Scalar> step = logits.step(t);
    const Index label = std::max_element(step.begin(), step.end()) - step.begin();
    if (label > 0 && label != last) labels.push_back(label);
    last = label;
  }
  return labels;
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

template <class Scalar>
std::vector<std::vector<Index>> ctc_greedy(const Tensor<Scalar>& prediction, const Mask& mask) {
  detail::check_decoded("ctc_greedy", prediction, mask);
  std::vector<std::vector<Index>> all;
  for (Index b = 0; b < prediction.batch(); ++b) {
    const detail::CountedSteps counts(mask, b, prediction.steps());
    all.push_back(detail::ctc_greedy(sample_of(prediction, b), counts.flags()));
  }
  return all;
}

template <class Scalar>
std::vector<std::vector<Index>> ctc_beam_search(const Tensor<Scalar>& prediction, const Mask& mask,
                                                const CTCBeamSearchOptions& options) {
  detail::check_decoded("ctc_beam_search", prediction, mask);
  if (options.width < 1) {
    detail::fail<ValueError>({"ctc_beam_search: width must be at least 1, found ", options.width});
  }
  std::vector<std::vector<Index>> all;
  std::vector<double> logs(static_cast<std::size_t>(prediction.features()));
  for (Index b = 0; b < prediction.batch(); ++b) {
    detail::CTCPrefixSearch search(options.width);
    const detail::CountedSteps counts(mask, b, prediction.steps());
    for (const Index t : detail::counted_steps(counts.flags())) {
      detail::log_softmax(sample_of(prediction, b).step(t).data(), prediction.features(),
                          logs.data());
      search.step(logs);
    }
    all.push_back(search.best());
  }
  return all;
}

}  // namespace strata::inline STRATA_RUNTIME
