// Runs the units it is linked with, and prints what they compute, exactly. Fails where two of them
// differ by more than rounding. Compiled for the least processor and without strata.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "unit.hpp"

#define TARGETS_DECLARE(name) targets::Work work_##name;
#define TARGETS_LIST(name) {#name, work_##name},
TARGETS_UNITS(TARGETS_DECLARE)

namespace {

constexpr targets::Unit units[] = {TARGETS_UNITS(TARGETS_LIST)};

std::vector<double> run(const targets::Unit& unit) {
  std::vector<double> numbers(1 << 16);
  numbers.resize(unit.work(numbers.data(), numbers.size()));
  return numbers;
}

/// The largest difference, relative to numbers above 1.
double difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
    if (std::isnan(error)) return INFINITY;
    most = std::max(most, error);
  }
  return most;
}

}  // namespace

int main() {
  bool good = true;
  std::vector<double> first;
  for (const targets::Unit& unit : units) {
    const auto numbers = run(unit);
    for (const double number : numbers) std::printf("%s %a\n", unit.name, number);
    if (first.empty()) first = numbers;
    const double error = difference(numbers, first);
    // Adam's steps are of the same size for every gradient, also for one that is mostly rounding
    // error, so units may differ by more than rounding.
    if (numbers.empty() || !(error < 1e-3)) {
      std::fprintf(stderr, "%s: %zu numbers, the largest difference from %s is %g\n", unit.name,
                   numbers.size(), units[0].name, error);
      good = false;
    }
  }
  // In turn, and after the others have used the heap.
  for (const targets::Unit& unit : units) {
    if (run(unit) != run(unit)) {
      std::fprintf(stderr, "%s: two runs differ\n", unit.name);
      good = false;
    }
  }
  return good ? 0 : 1;
}
