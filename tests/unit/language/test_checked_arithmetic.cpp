#include <cstdint>
#include <limits>

#include <strata/language/checked_arithmetic.hpp>

#include "support/catch.hpp"

namespace {

using namespace strata::detail;

// All pairs of numbers of 8 bits, against the same in whole numbers that hold every result.
template <class Number>
int count_errors_of_checked_arithmetic() {
  const auto fits = [](int value) {
    return value >= std::numeric_limits<Number>::min() &&
           value <= std::numeric_limits<Number>::max();
  };
  int errors = 0;
  const auto check = [&](auto overflows, int a, int b, int right) {
    constexpr Number untouched = 77;
    Number result = untouched;
    const bool is_over = overflows(static_cast<Number>(a), static_cast<Number>(b), result);
    if (is_over == fits(right) || result != (is_over ? untouched : right)) ++errors;
  };
  for (int a = std::numeric_limits<Number>::min(); a <= std::numeric_limits<Number>::max(); ++a) {
    for (int b = std::numeric_limits<Number>::min(); b <= std::numeric_limits<Number>::max(); ++b) {
      check(add_overflows<Number>, a, b, a + b);
      check(subtract_overflows<Number>, a, b, a - b);
      check(multiply_overflows<Number>, a, b, a * b);
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("sums, differences and products that do not fit are found") {
  REQUIRE(count_errors_of_checked_arithmetic<std::int8_t>() == 0);
  REQUIRE(count_errors_of_checked_arithmetic<std::uint8_t>() == 0);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::int64_t result = 0;
  REQUIRE(multiply_overflows(most, std::int64_t{2}, result));
  REQUIRE_FALSE(multiply_overflows(most / 2, std::int64_t{2}, result));
  REQUIRE(result == most - 1);
}
