// A loss is a function of predictions and targets.
// expect: this loss misses the function
#include <strata/strata.hpp>

struct OwnLoss {
#ifdef STRATA_CONTROL
  double operator()(const float*, const float*, strata::Index, float*) const { return 0; }
#else
  double operator()(const float*, const float*) const { return 0; }
#endif
};

int main() {
  strata::Sequential model{strata::LSTM{2}};
  model.compile(strata::SGD{}, OwnLoss{});
}
