#pragma once

#include <algorithm>
#include <ctime>

namespace strata::test {

/// How many times more processor time f(4 n) takes than f(n): about 4 where the time grows with n,
/// about 16 where it grows with its square. Below `linear_growth` it is not the latter.
template <class F>
[[nodiscard]] double growth(int n, F f) {
  const auto time_of = [&](int size) {
    std::clock_t least = 0;
    for (int run = 0; run < 3; ++run) {
      const std::clock_t begin = std::clock();
      f(size);
      const std::clock_t taken = std::max<std::clock_t>(std::clock() - begin, 1);
      least = run == 0 ? taken : std::min(least, taken);
    }
    return static_cast<double>(least);
  };
  const double small = time_of(n);
  return time_of(4 * n) / small;
}
inline constexpr double linear_growth = 8;

}  // namespace strata::test
