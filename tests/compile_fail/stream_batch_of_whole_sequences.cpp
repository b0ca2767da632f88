// Streams have no whole sequence to pool over, whether one or many.
// expect: a Stream runs step by step, but a layer of this model needs the whole sequence
#include <strata/strata.hpp>

int main() {
  using namespace strata;
#ifdef STRATA_CONTROL
  StreamBatch streams{Sequential{Input{4, 3}, LSTM{3, return_sequences}, LastStep<>{}}};
#else
  StreamBatch streams{Sequential{Input{4, 3}, LSTM{3, return_sequences}, AttentionPooling{5}}};
#endif
  return static_cast<int>(streams.outputs());
}
