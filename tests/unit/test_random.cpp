#include <array>
#include <cmath>
#include <cstdint>
#include <set>

#include <strata/random.hpp>

#include "support/catch.hpp"

// The numbers themselves are pinned: a seed must give the same weights and the same order of
// samples on every platform and in every later version.

namespace {

using namespace strata;

using Words = std::array<std::uint64_t, 4>;

constexpr Words first(Random random) { return {random(), random(), random(), random()}; }

// Of seed 0 they are those of SplitMix64 itself, as its authors publish them; the others were
// computed by a second implementation, in Python.
static_assert(first(Random(0)) == Words{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f,
                                        0xf88bb8a8724c81ec});
static_assert(first(Random(42)) == Words{0x989b3f130a063869, 0x290db4bf2570ded7, 0x2a990be63a01b2d5,
                                         0x0c4b6b24ef01890e});
static_assert(first(Random(42).fork(0)) == Words{0x33d3b3229fe0c44d, 0xcc0aaf5e8d84aac2,
                                                 0xa539e214256b51ec, 0xa57c77288d9504f0});
static_assert(first(Random(42).fork(7)) == Words{0x2eb20f9decba778b, 0xdbffb827a4d485d9,
                                                 0x3d32707ccc061b2a, 0x562cbe6cb664b72e});

}  // namespace

TEST_CASE("Random: numbers are pinned") {
  REQUIRE(first(Random(42))[0] == 0x989b3f130a063869);
  Random uniform(42);
  for (const double expected :
       {0.5961188718302076, 0.1603653875985772, 0.16639780398145976, 0.04802579547595631}) {
    REQUIRE(uniform.uniform() == expected);
  }
  Random below(42);
  for (const Index expected : {5, 1, 1, 0, 9, 2, 2, 1, 7, 2, 7, 8, 8, 0, 0, 8}) {
    REQUIRE(below.below(10) == expected);
  }
  // log and cos may differ in the last bits from one C library to another.
  Random normal(42);
  for (const double expected :
       {0.7189198751663963, 0.5760621378390508, 0.26247513036331316, 0.4637870843170808}) {
    REQUIRE(std::abs(normal.normal() - expected) < 1e-14);
  }
}

TEST_CASE("Random: at gives the numbers to come without moving") {
  Random random(3);
  const Random start = random;
  for (std::uint64_t position = 0; position < 100; ++position) {
    const std::uint64_t next = random();
    REQUIRE(start.at(position) == next);
  }
}

TEST_CASE("Random: forks are reproducible, distinct, and leave their origin alone") {
  Random random(5);
  const auto forked = first(random.fork(1));
  REQUIRE(first(random) == first(Random(5)));
  REQUIRE(first(random.fork(1)) == forked);

  std::set<std::uint64_t> seen;
  std::size_t drawn = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t key = 0; key < 20; ++key) {
      for (const std::uint64_t word : first(Random(seed).fork(key))) seen.insert(word), ++drawn;
      for (const std::uint64_t word : first(Random(seed).fork(key).fork(key + 100))) {
        seen.insert(word), ++drawn;
      }
    }
    for (const std::uint64_t word : first(Random(seed))) seen.insert(word), ++drawn;
  }
  REQUIRE(seen.size() == drawn);
}

TEST_CASE("Random: seed and key are not interchangeable") {
  for (std::uint64_t a = 0; a < 20; ++a) {
    REQUIRE(first(Random(a + 1).fork(a)) != first(Random(0)));
    for (std::uint64_t b = 0; b < a; ++b) {
      REQUIRE(first(Random(a + 1).fork(b)) != first(Random(b + 1).fork(a)));
    }
  }
}

TEST_CASE("Random: forks are not correlated with each other or their origin") {
  Random a(9);
  Random b = Random(9).fork(0);
  Random c = Random(9).fork(1);
  constexpr int count = 20000;
  double ab = 0;
  double bc = 0;
  for (int i = 0; i < count; ++i) {
    const double x = a.uniform() - 0.5;
    const double y = b.uniform() - 0.5;
    const double z = c.uniform() - 0.5;
    ab += 12 * x * y;
    bc += 12 * y * z;
  }
  // Each sum has deviation sqrt(count); five of them are seen once in two million seeds.
  REQUIRE(std::abs(ab) < 5 * std::sqrt(count));
  REQUIRE(std::abs(bc) < 5 * std::sqrt(count));
}

TEST_CASE("Random: uniform and normal have their moments") {
  Random random(1);
  constexpr int count = 100000;
  double sum = 0;
  double squares = 0;
  double smallest = 1;
  double largest = 0;
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform();
    sum += x;
    squares += (x - 0.5) * (x - 0.5);
    smallest = std::min(smallest, x);
    largest = std::max(largest, x);
  }
  REQUIRE(smallest >= 0);
  REQUIRE(largest < 1);
  // Five deviations of the mean, sqrt(1/12 / count), and of the variance, sqrt(1/180 / count).
  REQUIRE(std::abs(sum / count - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
  REQUIRE(std::abs(squares / count - 1.0 / 12) < 5 * std::sqrt(1.0 / 180 / count));

  sum = squares = 0;
  double fourth = 0;
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  // The variances of x, x^2 and x^4 are 1, 2 and 96.
  REQUIRE(std::abs(sum / count) < 5 * std::sqrt(1.0 / count));
  REQUIRE(std::abs(squares / count - 1) < 5 * std::sqrt(2.0 / count));
  REQUIRE(std::abs(fourth / count - 3) < 5 * std::sqrt(96.0 / count));
}

TEST_CASE("Random: below stays below, and reaches every number equally") {
  Random random(2);
  constexpr int count = 70000;
  std::array<int, 7> hits{};
  for (int i = 0; i < count; ++i) {
    const Index number = random.below(7);
    REQUIRE((number >= 0 && number < 7));
    ++hits[static_cast<std::size_t>(number)];
  }
  for (const int hit : hits) {
    REQUIRE(std::abs(hit - count / 7.0) < 5 * std::sqrt(count / 7.0 * 6 / 7));
  }
  REQUIRE(random.below(1) == 0);
  for (int i = 0; i < 1000; ++i) REQUIRE(random.below(Index{1} << 40) < (Index{1} << 40));
}
