// A layer has no check_input that its traits do not name.
// expect: the traits of this layer and its functions disagree on check_input.x.; one of them may be misspelt
#include <strata/strata.hpp>

using namespace strata;

struct OwnLayer : Activate<float> {
  OwnLayer() : Activate<float>(Activation::tanh) {}
#ifndef STRATA_CONTROL
  void check_input(const Tensor<float>&) const {}
#endif
};

int main() {
  Sequential model{OwnLayer{}};
  return model.is_built() ? 1 : 0;
}
