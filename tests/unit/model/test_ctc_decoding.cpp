#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <strata/edit_distance.hpp>
#include <strata/model/ctc_decoding.hpp>
#include <strata/random.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

namespace {

using namespace strata;
using strata::test::error_text;

using Labels = std::vector<Index>;

Tensor<double> logits_of(const Shape& shape, std::uint64_t seed) {
  Tensor<double> logits(shape);
  Random random(seed);
  for (double& value : logits.values()) value = 1.5 * random.normal();
  return logits;
}

/// The labels that a path of classes stands for.
Labels read(const Labels& path) {
  Labels labels;
  Index last = 0;
  for (const Index label : path) {
    if (label > 0 && label != last) labels.push_back(label);
    last = label;
  }
  return labels;
}

/// The probability of each label sequence of a sample, up to a factor, by all paths.
std::map<Labels, double> all_sequences(const Tensor<double>& logits) {
  std::map<Labels, double> paths{{{}, 1.0}};
  for (Index t = 0; t < logits.steps(); ++t) {
    double total = 0;
    for (Index c = 0; c < logits.features(); ++c) total += std::exp(logits(0, t, c));
    std::map<Labels, double> longer;
    for (const auto& [path, probability] : paths) {
      for (Index c = 0; c < logits.features(); ++c) {
        Labels next = path;
        next.push_back(c);
        longer[next] = probability * std::exp(logits(0, t, c)) / total;
      }
    }
    paths = std::move(longer);
  }
  std::map<Labels, double> sums;
  for (const auto& [path, probability] : paths) sums[read(path)] += probability;
  return sums;
}

Labels likeliest(const std::map<Labels, double>& sequences) {
  const auto* best = &*sequences.begin();
  for (const auto& one : sequences) {
    if (one.second > best->second) best = &one;
  }
  return best->first;
}

}  // namespace

TEST_CASE("CTC decoding: best path and prefix search find what they say", "[ctc][sampling]") {
  int different = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    INFO("seed " << seed);
    const Tensor<double> logits = logits_of({1, 6, 3}, seed);
    Labels path;
    for (Index t = 0; t < 6; ++t) {
      Index best = 0;
      for (Index c = 1; c < 3; ++c) {
        if (logits(0, t, c) > logits(0, t, best)) best = c;
      }
      path.push_back(best);
    }
    CHECK(ctc_greedy(logits) == std::vector<Labels>{read(path)});
    const Labels exact = likeliest(all_sequences(logits));
    CHECK(ctc_beam_search(logits, {}, {.width = 200}) == std::vector<Labels>{exact});
    different += exact != read(path);
  }
  // Otherwise the search would not be tested apart from the best path.
  CHECK(different > 3);
}

TEST_CASE("CTC decoding: samples by themselves and in a batch are the same", "[ctc][sampling]") {
  const Tensor<double> logits = logits_of({3, 9, 4}, 7);
  const std::vector<Index> lengths{9, 4, 0};
  const Mask mask = Mask::from_lengths(lengths, 9);
  const auto greedy = ctc_greedy(logits, mask);
  const auto searched = ctc_beam_search(logits, mask, {.width = 4});
  REQUIRE(greedy.size() == 3);
  REQUIRE(searched.size() == 3);
  CHECK(greedy[2].empty());
  CHECK(searched[2].empty());
  for (Index b = 0; b < 3; ++b) {
    const auto place = static_cast<std::size_t>(b);
    CHECK(ctc_greedy(logits.rows(b, 1), mask.rows(b, 1))[0] == greedy[place]);
    CHECK(ctc_beam_search(logits.rows(b, 1), mask.rows(b, 1), {.width = 4})[0] == searched[place]);
  }
}

TEST_CASE("CTC decoding: what cannot be decoded is refused", "[ctc][sampling]") {
  const Tensor<float> rows({2, 3});
  CHECK(error_text<ShapeError>([&] { (void)ctc_greedy(rows); }) ==
        "ctc_greedy: needs predictions (B, T, C), found (2, 3)");
  const Tensor<float> steps({2, 3, 4});
  CHECK(error_text<ShapeError>([&] { (void)ctc_beam_search(steps, Mask(2, 4)); }) ==
        "ctc_beam_search: the predictions have the shape (2, 3, 4), the mask (2, 4)");
  CHECK(error_text<ValueError>([&] { (void)ctc_beam_search(steps, {}, {.width = 0}); }) ==
        "ctc_beam_search: width must be at least 1, found 0");
}

TEST_CASE("Edit distance: insertions, deletions, replacements", "[sampling]") {
  const auto distance = [](const Labels& a, const Labels& b) {
    CHECK(edit_distance(a, b) == edit_distance(b, a));
    return edit_distance(a, b);
  };
  CHECK(distance({}, {}) == 0);
  CHECK(distance({1, 2, 3}, {}) == 3);
  CHECK(distance({1, 2, 3}, {1, 2, 3}) == 0);
  CHECK(distance({1, 2, 3}, {1, 3}) == 1);
  CHECK(distance({1, 2, 3}, {2, 3, 1}) == 2);
  // kitten and sitting
  CHECK(distance({1, 2, 3, 3, 4, 5}, {6, 2, 3, 3, 2, 5, 7}) == 3);
}
