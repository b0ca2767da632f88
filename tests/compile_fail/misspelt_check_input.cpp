// A layer whose check_input is misspelt would take what it should refuse.
// expect: the traits of this layer and its functions disagree on check_input.x.; one of them may be misspelt
#include <strata/strata.hpp>

using namespace strata;

struct OwnLayer : Activate<float> {
  static constexpr LayerTraits traits{.check_input = true, .execution = true};
  OwnLayer() : Activate<float>(Activation::tanh) {}
#ifdef STRATA_CONTROL
  void check_input(const Tensor<float>&) const {}
#else
  void check_inputs(const Tensor<float>&) const {}
#endif
};

int main() {
  Sequential model{OwnLayer{}};
  return model.is_built() ? 1 : 0;
}
