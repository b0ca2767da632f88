// All layers of a model compute with the same scalar.
// expect: all layers of a Sequential must have the same scalar type
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential<LSTM<float, 1, 8>, Dense<float, 8, 1>> model;
#else
  Sequential<LSTM<float, 1, 8>, Dense<double, 8, 1>> model;
#endif
  return model.size() == 2 ? 0 : 1;
}
