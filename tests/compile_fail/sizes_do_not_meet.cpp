// A layer's outputs are the next one's inputs: 40 units do not feed a Dense of 32 inputs.
// expect: number of inputs is not the number of outputs of the layer before it
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential<LSTM<float, 1, 40, return_sequences>, Dense<float, 40, 1>> model;
#else
  Sequential<LSTM<float, 1, 40, return_sequences>, Dense<float, 32, 1>> model;
#endif
  return model.size() == 2 ? 0 : 1;
}
