// A layer whose absorb is misspelt would train without it.
// expect: the traits of this layer and its functions disagree on absorb.tape.; one of them may be misspelt
#include <strata/strata.hpp>

using namespace strata;

struct OwnLayer : Activate<float> {
  static constexpr LayerTraits traits{.absorb = true, .execution = true};
  OwnLayer() : Activate<float>(Activation::tanh) {}
#ifdef STRATA_CONTROL
  void absorb(Tape&) {}
#else
  void absorbs(Tape&) {}
#endif
};

int main() {
  Sequential model{OwnLayer{}};
  return model.is_built() ? 1 : 0;
}
