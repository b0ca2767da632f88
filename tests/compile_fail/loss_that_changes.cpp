// A loss is shared by threads, so that its call may not change it.
// expect: of this loss must be const
#include <strata/strata.hpp>

struct OwnLoss {
#ifdef STRATA_CONTROL
  double operator()(const float*, const float*, strata::Index, float*) const { return 0; }
#else
  double operator()(const float*, const float*, strata::Index, float*) { return 0; }
#endif
};

int main() {
  strata::Sequential model{strata::LSTM{2}};
  model.compile(strata::SGD{}, OwnLoss{});
}
