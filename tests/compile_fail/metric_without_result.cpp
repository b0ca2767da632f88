// A metric of an epoch computes its figure from sums.
// expect: this metric of an epoch misses the function
#include <cstddef>
#include <span>

#include <strata/strata.hpp>

using namespace strata;

struct OwnMetric {
  static constexpr const char* name = "own";
  std::size_t sum_count(Index) const { return 1; }
  void add(const float*, const float*, Index, Index, double, std::span<double>) const {}
#ifdef STRATA_CONTROL
  double result(std::span<const double>) const { return 0; }
#endif
};

int main() {
  Sequential model{LSTM{2}};
  model.compile(SGD{}, MeanSquaredError{}, {OwnMetric{}});
}
