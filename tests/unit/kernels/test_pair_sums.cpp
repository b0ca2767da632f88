#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <strata/kernels/pair_sums.hpp>
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
      sums.add(weights.data(), detail::pair_of(v0, v1));
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
    sums.add(weights.data(), detail::pair_of(value, value));
    for (const float found : numbers_of(sums)) CHECK(found == float(sign * 2 * 32767 * 16383));
  }
}

TEST_CASE("to_int16: rounded units of 1/16383, within 1", "[int16]") {
  // A whole register and a rest of every size.
  for (Index count = 1; count <= 40; ++count) {
    Random random(static_cast<std::uint64_t>(count));
    std::vector<float> numbers;
    for (Index i = 0; i < count; ++i) numbers.push_back(static_cast<float>(1.5 * random.normal()));
    std::vector<std::int16_t> integers(numbers.size() + 1, 7);
    CHECK(detail::to_int16(count, numbers.data(), integers.data()) == 0);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double within = std::min(std::max(double(numbers[i]), -1.0), 1.0);
      REQUIRE(std::abs(integers[i] - within * 16383) <= 0.501);
    }
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
