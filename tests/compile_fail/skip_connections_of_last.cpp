// Every layer of SkipConnections writes a step of the output.
// expect: SkipConnections joins the outputs of all layers at every step, but one of them returns one output per sequence; construct it with return_sequences
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Sequential model{SkipConnections{LSTM{50, return_sequences}, LSTM{50, return_sequences}}};
#else
  Sequential model{SkipConnections{LSTM{50, return_sequences}, LSTM{50}}};
#endif
  return model.is_built() ? 1 : 0;
}
