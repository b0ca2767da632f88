#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <type_traits>
#include <vector>

#include <strata/sequences.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/golden.hpp"
#include "support/ranges.hpp"

// Sequences of different lengths: padding as Keras pads, and batches of similar length.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::Golden;

Side side(const std::string& name) { return name == "pre" ? Side::pre : Side::post; }

/// The sequences of a golden file, one after another there.
template <class Scalar>
std::vector<Tensor<Scalar>> sequences_of(const Golden& golden, const std::string& group) {
  const auto all = golden[group + ".values"].flat<Scalar>();
  const Shape& shape = golden[group + ".values"].shape;
  const Index features = shape.rank() == 2 ? shape[1] : 1;
  std::vector<Tensor<Scalar>> sequences;
  auto from = all.begin();
  for (const Index length : golden[group + ".lengths"].flat<Index>()) {
    const auto to = from + length * features;
    sequences.emplace_back(Shape{length, features}, std::vector<Scalar>(from, to));
    from = to;
  }
  REQUIRE(from == all.end());
  return sequences;
}

}  // namespace

TEMPLATE_TEST_CASE("pad_sequences: Keras' numbers", "[sequences]", float, double) {
  using Scalar = TestType;
  const Golden golden = Golden::read("padding.txt");
  const auto cases = golden.cases("y");
  REQUIRE(cases.size() == 32);
  for (const std::string& name : cases) {
    INFO(name);
    const std::string group = name.substr(0, name.find('.'));
    const std::string sides = name.substr(group.size() + 1);
    const auto middle = sides.find('_');
    const auto end = sides.find('.');
    const PadOptions options{.maxlen = golden.contains(name + ".maxlen")
                                           ? static_cast<Index>(golden[name + ".maxlen"].value())
                                           : 0,
                             .padding = side(sides.substr(0, middle)),
                             .truncating = side(sides.substr(middle + 1, end - middle - 1)),
                             .value = golden[name + ".value"].value()};
    const auto sequences = sequences_of<Scalar>(golden, group);
    const auto expected = golden[name + ".y"].tensor<Scalar>();
    const auto [x, mask] = pad_sequences(sequences, options);
    REQUIRE(x.rank() == 3);
    REQUIRE(x.batch() == expected.batch());
    REQUIRE(x.size() == expected.size());
    REQUIRE(test::equal(x.values(), expected.values()));
    if (group == "steps") {
      std::vector<std::vector<Scalar>> numbers;
      for (const auto& one : sequences) {
        numbers.emplace_back(one.values().begin(), one.values().end());
      }
      const auto flat = pad_sequences(numbers, options);
      REQUIRE(flat.x.shape() == expected.shape());
      REQUIRE(test::equal(flat.x.values(), expected.values()));
      REQUIRE(flat.mask == mask);
    } else {
      REQUIRE(x.shape() == expected.shape());
    }
    for (Index b = 0; b < x.batch(); ++b) {
      const auto length = sequences[static_cast<std::size_t>(b)].batch();
      const Index kept = std::min(length, x.steps());
      for (Index t = 0; t < x.steps(); ++t) {
        const Index place = options.padding == Side::pre ? x.steps() - 1 - t : t;
        REQUIRE(mask(b, t) == (place < kept));
      }
    }
  }
  REQUIRE(golden.unread().empty());
}

TEST_CASE("pad_sequences: the mask is right where data equals the padding", "[sequences]") {
  const std::vector<Tensor<float>> zeros{Tensor<float>({2, 1}), Tensor<float>({3, 1})};
  const auto [x, mask] = pad_sequences(zeros);
  REQUIRE(mask == Mask(Tensor<float>({2, 3}, {0, 1, 1, 1, 1, 1})));
}

TEST_CASE("pad_sequences: class numbers", "[sequences]") {
  const std::vector<std::vector<int>> ids{{3, 1}, {}, {7, 8, 9}};
  const auto padded = pad_sequences(ids, {.padding = Side::post});
  static_assert(std::is_same_v<decltype(padded), const Padded<float>>);
  REQUIRE(padded.x.shape() == Shape{3, 3});
  REQUIRE(test::equal(padded.x.values(), std::vector<float>{3, 1, 0, 0, 0, 0, 7, 8, 9}));
  REQUIRE(padded.mask == Mask(Tensor<float>({3, 3}, {1, 1, 0, 0, 0, 0, 1, 1, 1})));
  static_assert(std::is_same_v<decltype(pad_sequences<double>(ids)), Padded<double>>);
}

TEST_CASE("pad_sequences: errors", "[sequences]") {
  using Sequences = std::vector<Tensor<float>>;
  REQUIRE(error_text<ShapeError>([] { (void)pad_sequences(Sequences{}); }) ==
          "pad_sequences: there are no sequences");
  REQUIRE(error_text<ShapeError>([] {
            (void)pad_sequences(Sequences{Tensor<float>({0, 2})});
          }) == "pad_sequences: all sequences are empty; give a maxlen");
  const Sequences two{Tensor<float>({4, 2}), Tensor<float>({4, 3})};
  REQUIRE(error_text<ShapeError>([&] { (void)pad_sequences(two); }) ==
          "pad_sequences: sequence 1 has the shape (4, 3); all have the shape (steps, features), "
          "with the same features");
  const Sequences batch{Tensor<float>({1, 4, 2})};
  REQUIRE(error_text<ShapeError>([&] { (void)pad_sequences(batch); }).find("(1, 4, 2)") !=
          std::string::npos);
  REQUIRE(error_text<ShapeError>([] { (void)pad_sequences(Sequences(1)); }) !=
          "(nothing was thrown)");
  const std::vector<std::vector<int>> ids{{1}};
  REQUIRE(error_text<ValueError>([&] { (void)pad_sequences(ids, {.maxlen = -2}); }) ==
          "pad_sequences: maxlen must be at least 1, or 0, found -2");
}

TEST_CASE("batches_by_length: every sequence once, in batches of similar length", "[sequences]") {
  std::vector<Index> lengths;
  Random random(3);
  for (int i = 0; i < 103; ++i) lengths.push_back(random.below(20));
  const auto batches = batches_by_length(lengths, 8, 5);
  REQUIRE(batches.size() == 13);
  std::vector<Index> all;
  std::vector<std::pair<Index, Index>> ranges;
  Index rest = 0;
  for (const auto& batch : batches) {
    rest += batch.size() == 103 % 8;
    REQUIRE((batch.size() == 8 || batch.size() == 103 % 8));
    const auto length = [&](Index i) { return lengths[static_cast<std::size_t>(i)]; };
    ranges.emplace_back(length(batch.front()), length(batch.back()));
    REQUIRE(std::is_sorted(batch.begin(), batch.end(),
                           [&](auto a, auto b) { return length(a) < length(b); }));
    all.insert(all.end(), batch.begin(), batch.end());
  }
  REQUIRE(rest == 1);
  REQUIRE_FALSE(std::is_sorted(ranges.begin(), ranges.end()));
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    REQUIRE(ranges[i - 1].second <= ranges[i].first);
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i] == static_cast<Index>(i));
}

TEST_CASE("batches_by_length: the seed says all", "[sequences]") {
  const std::vector<Index> equal(40, 7);
  REQUIRE(batches_by_length(equal, 4, 1) == batches_by_length(equal, 4, 1));
  std::set<std::vector<std::vector<Index>>> different;
  std::set<Index> first;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto batches = batches_by_length(equal, 4, seed);
    different.insert(batches);
    first.insert(batches.front().front());
  }
  REQUIRE(different.size() == 100);
  REQUIRE(first.size() > 30);
  REQUIRE(batches_by_length(equal, 64).size() == 1);
  REQUIRE(batches_by_length(std::vector<Index>{}, 4).empty());
}

TEST_CASE("batches_by_length: errors", "[sequences]") {
  const std::vector<Index> lengths{3, -1};
  REQUIRE(error_text<ValueError>([&] { (void)batches_by_length(lengths, 0); }) ==
          "batches_by_length: batch_size must be at least 1, found 0");
  REQUIRE(error_text<ValueError>([&] { (void)batches_by_length(lengths, 2); }) ==
          "batches_by_length: sequence 1 has the length -1");
}
