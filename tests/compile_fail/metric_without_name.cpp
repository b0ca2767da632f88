// A metric has a name in the logs.
// expect: this metric has no name
#include <strata/strata.hpp>

using namespace strata;

int main() {
  Sequential model{LSTM{2}};
  const auto largest = [](const float* prediction, const float*, Index, Index) {
    return static_cast<double>(*prediction);
  };
#ifdef STRATA_CONTROL
  model.compile(SGD{}, MeanSquaredError{}, {{largest, "largest"}});
#else
  model.compile(SGD{}, MeanSquaredError{}, {largest});
#endif
}
