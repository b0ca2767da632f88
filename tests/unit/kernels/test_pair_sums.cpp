#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <strata/kernels/pair_sums.hpp>
#include <strata/kernels/pair_tile.hpp>
#include <strata/random.hpp>

#include "support/catch.hpp"

// Sums of products of 16-bit integers are exact; numbers become integers by rounding.

namespace {

using namespace strata;
using detail::PairSums;

constexpr int sums_width = detail::Pack<float>::width;

std::vector<float> numbers_of(const PairSums<>& sums) {
  std::vector<float> numbers(static_cast<std::size_t>(sums_width));
  sums.numbers().store(numbers.data());
  return numbers;
}

}  // namespace

TEST_CASE("PairSums: two products for each lane, exactly", "[int16]") {
  Random random(1);
  const auto draw = [&] { return static_cast<std::int16_t>(random.below(65536) - 32768); };
  for (int round = 0; round < 50; ++round) {
    PairSums<> sums;
    std::vector<std::int64_t> expected(static_cast<std::size_t>(sums_width), 0);
    // Few enough rounds that the sums fit 32 bits; so few bits in a sum that a float holds it.
    for (int row = 0; row < 3; ++row) {
      const auto v0 = static_cast<std::int16_t>(draw() / 64);
      const auto v1 = static_cast<std::int16_t>(draw() / 64);
      std::vector<std::int32_t> weights;
      for (std::size_t lane = 0; lane < expected.size(); ++lane) {
        const auto w0 = static_cast<std::int16_t>(draw() / 64);
        const auto w1 = static_cast<std::int16_t>(draw() / 64);
        weights.push_back(detail::pair_of(w0, w1));
        expected[lane] += w0 * v0 + w1 * v1;
      }
      sums.add(PairSums<>::load(weights.data()), PairSums<>::broadcast(detail::pair_of(v0, v1)));
    }
    const auto found = numbers_of(sums);
    for (std::size_t lane = 0; lane < expected.size(); ++lane) {
      REQUIRE(static_cast<std::int64_t>(found[lane]) == expected[lane]);
    }
  }
}

TEST_CASE("PairSums: the largest weights and values", "[int16]") {
  const std::int16_t most = std::numeric_limits<std::int16_t>::max();
  const std::int16_t one = 16383;
  for (const int sign : {1, -1}) {
    const auto value = static_cast<std::int16_t>(sign * one);
    const std::vector<std::int32_t> weights(static_cast<std::size_t>(sums_width),
                                            detail::pair_of(most, most));
    PairSums<> sums;
    sums.add(PairSums<>::load(weights.data()),
             PairSums<>::broadcast(detail::pair_of(value, value)));
    for (const float found : numbers_of(sums)) CHECK(found == float(sign * 2 * 32767 * 16383));
  }
}

TEST_CASE("to_int16: rounded units of 1/16383, within 1", "[int16]") {
  // A whole register and a rest of every size.
  for (Index count = 1; count <= 40; ++count) {
    Random random(static_cast<std::uint64_t>(count));
    std::vector<float> numbers;
    for (Index i = 0; i < count; ++i) numbers.push_back(static_cast<float>(1.5 * random.normal()));
    const Index room = detail::padded<float>(count);
    std::vector<std::int16_t> integers(static_cast<std::size_t>(room) + 1, 7);
    CHECK(detail::to_int16(count, numbers.data(), integers.data()) == 0);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double within = std::min(std::max(double(numbers[i]), -1.0), 1.0);
      REQUIRE(std::abs(integers[i] - within * 16383) <= 0.501);
    }
    for (Index i = count; i < room; ++i) REQUIRE(integers[static_cast<std::size_t>(i)] == 0);
    CHECK(integers.back() == 7);
    // Whichever number is unusual, it is told.
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      auto unusual = numbers;
      for (const float one :
           {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        unusual[i] = one;
        REQUIRE(std::isnan(detail::to_int16(count, unusual.data(), integers.data())));
      }
    }
  }
}

namespace {

/// A tile of so many registers by so many columns against the same sums in 64 bits.
template <int Vectors, int Columns>
void check_pair_tile() {
  INFO(Vectors << " x " << Columns);
  constexpr Index width = sums_width, pairs = 11, step = Vectors * width + 3;
  Random random(Vectors * 10 + Columns);
  const auto draw = [&] { return static_cast<std::int16_t>(random.below(201) - 100); };
  std::vector<std::int32_t> weights;
  for (Index i = 0; i < pairs * step; ++i) weights.push_back(detail::pair_of(draw(), draw()));
  std::vector<float> factors, from, to(static_cast<std::size_t>(Columns * Vectors * width));
  for (Index i = 0; i < Vectors * width; ++i) factors.push_back(std::ldexp(1.0f, int(i % 5)));
  for (std::size_t i = 0; i < to.size(); ++i) from.push_back(static_cast<float>(draw()));
  std::vector<std::vector<std::int16_t>> values(Columns);
  detail::PairTileColumn columns[Columns];
  for (int n = 0; n < Columns; ++n) {
    for (Index i = 0; i < 2 * pairs; ++i) values[std::size_t(n)].push_back(draw());
    columns[n] = {.values = values[std::size_t(n)].data(),
                  .unusual = n == 1 ? std::numeric_limits<float>::quiet_NaN() : 0,
                  .from = from.data() + n * Vectors * width,
                  .to = to.data() + n * Vectors * width};
  }
  detail::pair_tile<Vectors, Columns>(
      {.first = weights.data(), .step = step, .pairs = pairs, .factors = factors.data()}, columns);
  for (int n = 0; n < Columns; ++n) {
    for (Index lane = 0; lane < Vectors * width; ++lane) {
      const float found = columns[n].to[lane];
      if (n == 1) {
        REQUIRE(std::isnan(found));
        continue;
      }
      // So small that a float holds it.
      std::int64_t sum = 0;
      for (Index pair = 0; pair < pairs; ++pair) {
        const std::int32_t both = weights[static_cast<std::size_t>(pair * step + lane)];
        const auto at = static_cast<std::size_t>(2 * pair);
        sum += std::int64_t{static_cast<std::int16_t>(both & 0xffff)} * values[std::size_t(n)][at] +
               std::int64_t{static_cast<std::int16_t>(both >> 16)} * values[std::size_t(n)][at + 1];
      }
      REQUIRE(double(found) ==
              double(columns[n].from[lane]) + double(factors[std::size_t(lane)]) * double(sum));
    }
  }
}

}  // namespace

TEST_CASE("pair_tile: every size, exactly", "[int16]") {
  check_pair_tile<1, 1>();
  check_pair_tile<1, 6>();
  check_pair_tile<2, 1>();
  check_pair_tile<2, 2>();
  check_pair_tile<2, 6>();
  check_pair_tile<3, 5>();
  check_pair_tile<4, 3>();
  check_pair_tile<4, 4>();
  check_pair_tile<4, 6>();
}
