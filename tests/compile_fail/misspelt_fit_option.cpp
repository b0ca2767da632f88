// A misspelt option of fit: the error names the options.
// expect: (FitOptions<float>|'epoch' does not refer to any field in type 'const FitOptions)
#include <strata/strata.hpp>

int main() {
  using namespace strata;
  Sequential model{LSTM{2}, Dense{1}};
  const Tensor<float> x({1, 3, 1});
  const Tensor<float> y({1, 1});
#ifdef STRATA_CONTROL
  model.fit(x, y, {.epochs = 3});
#else
  model.fit(x, y, {.epoch = 3});
#endif
  return 0;
}
