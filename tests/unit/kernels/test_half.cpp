#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <strata/kernels/half.hpp>
#include <strata/random.hpp>

#include "support/catch.hpp"

// 16-bit floats: each is read exactly, and numbers become 16-bit floats by rounding.

namespace {

using namespace strata;
using HalfPack = detail::Pack<float>;

/// The number of a finite 16-bit float, by its definition.
double defined(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

bool is_finite_half(std::uint16_t half) { return (half >> 10 & 31) != 31; }

/// By the instructions of the machine.
std::vector<float> loaded(const std::vector<std::uint16_t>& halves) {
  std::vector<float> numbers(halves.size());
  for (std::size_t i = 0; i < halves.size(); i += HalfPack::width) {
    detail::load_half<HalfPack::width>(halves.data() + i).store(numbers.data() + i);
  }
  return numbers;
}
std::vector<std::uint16_t> stored(const std::vector<float>& numbers) {
  std::vector<std::uint16_t> halves(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); i += HalfPack::width) {
    detail::store_half(HalfPack::load(numbers.data() + i), halves.data() + i);
  }
  return halves;
}

}  // namespace

TEST_CASE("half: all 65536 are read as they are defined", "[half]") {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  const auto numbers = loaded(halves);
  for (const std::uint16_t half : halves) {
    const float number = detail::from_half(half);
    if (is_finite_half(half)) {
      REQUIRE(number == defined(half));
      REQUIRE(std::signbit(number) == (half >> 15 == 1));
      REQUIRE(detail::to_half(number) == half);
    } else if ((half & 1023) == 0) {
      REQUIRE(std::isinf(number));
      REQUIRE(std::signbit(number) == (half >> 15 == 1));
    } else {
      REQUIRE(std::isnan(number));
    }
    const bool same = numbers[half] == number || (std::isnan(number) && std::isnan(numbers[half]));
    REQUIRE(same);
  }
}

TEST_CASE("half: numbers are rounded to the nearest, and to the even one of two", "[half]") {
  std::vector<float> numbers;
  for (int i = 0; i < 0x7c00; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const float number = detail::from_half(half);
    const float next =
        i + 1 < 0x7c00 ? detail::from_half(static_cast<std::uint16_t>(i + 1)) : 65536;
    const float middle = (number + next) / 2;
    const auto even = static_cast<std::uint16_t>(i % 2 == 0 ? i : i + 1);
    REQUIRE(detail::to_half(middle) == even);
    REQUIRE(detail::to_half(std::nextafter(middle, 0.0f)) == half);
    REQUIRE(detail::to_half(std::nextafter(middle, 1e6f)) == half + 1);
    for (const float one : {middle, -middle, std::nextafter(middle, 0.0f)}) numbers.push_back(one);
  }
  for (const float large : {1e5f, 1e30f, std::numeric_limits<float>::infinity()}) {
    REQUIRE(detail::to_half(large) == 0x7c00);
    REQUIRE(detail::to_half(-large) == 0xfc00);
    numbers.push_back(large);
  }
  REQUIRE(std::isnan(detail::from_half(detail::to_half(std::nanf("")))));
  REQUIRE(detail::to_half(1e-10f) == 0);
  numbers.resize((numbers.size() + 15) / 16 * 16);
  const auto halves = stored(numbers);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    REQUIRE(halves[i] == detail::to_half(numbers[i]));
  }
}
