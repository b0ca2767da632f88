// The same joint as in missing_return_sequences.cpp, with sizes fixed at compile time.
// expect: expects sequences \(B, T, F\), but the layer before it returns one output per sequence; construct that one with return_sequences
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential<LSTM<float, 1, 8, return_sequences>, LSTM<float, 8, 4>, Dense<float, 4, 1>> model;
#else
  Sequential<LSTM<float, 1, 8>, LSTM<float, 8, 4>, Dense<float, 4, 1>> model;
#endif
  return model.size() == 3 ? 0 : 1;
}
