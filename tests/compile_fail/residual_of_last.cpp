// The output of a layer with one output per sequence cannot be added to the sequence.
// expect: Residual adds the input to the output of a layer, but this layer returns one output per sequence; construct it with return_sequences
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential model{Residual{LSTM{50, return_sequences}}};
#else
  Sequential model{Residual{LSTM{50}}};
#endif
  return model.is_built() ? 1 : 0;
}
