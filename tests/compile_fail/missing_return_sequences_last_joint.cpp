// A wrong joint is found between any two layers, here behind a Dropout and a correct joint.
// expect: expects sequences \(B, T, F\), but the layer before it returns one output per sequence; construct that one with return_sequences
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential model{LSTM{8, return_sequences}, LSTM{8, return_sequences}, Dropout{0.2}, LSTM{8}};
#else
  Sequential model{LSTM{8, return_sequences}, LSTM{8}, Dropout{0.2}, LSTM{8}};
#endif
  return model.is_built() ? 1 : 0;
}
