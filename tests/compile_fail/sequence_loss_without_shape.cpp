// A loss of whole sequences says which targets it takes.
// expect: this loss of whole sequences misses the function
#include <span>

#include <strata/strata.hpp>

using namespace strata;

struct OwnLoss {
  double operator()(SequenceView<const float>, std::span<const bool>, SequenceView<const float>,
                    SequenceView<float>) const {
    return 0;
  }
#ifdef STRATA_CONTROL
  Shape target_shape(const Shape& output) const { return output; }
#endif
};

int main() {
  Sequential model{LSTM{2, return_sequences}};
  model.compile(SGD{}, OwnLoss{});
}
