// A stream has no whole sequence to pool over.
// expect: a Stream runs step by step, but a layer of this model needs the whole sequence
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  Stream stream{Sequential{Input{4, 3}, LSTM{3, return_sequences}, LastStep<>{}}};
#else
  Stream stream{Sequential{Input{4, 3}, LSTM{3, return_sequences}, AttentionPooling{5}}};
#endif
  return static_cast<int>(stream.outputs());
}
