// An LSTM reads sequences; an LSTM without return_sequences does not write them.
// expect: expects sequences \(B, T, F\), but the layer before it returns one output per sequence; construct that one with return_sequences
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential model{LSTM{50, return_sequences}, LSTM{50}, Dense{1}};
#else
  Sequential model{LSTM{50}, LSTM{50}, Dense{1}};
#endif
  return model.is_built() ? 1 : 0;
}
