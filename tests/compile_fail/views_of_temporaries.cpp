// A view of a temporary tensor does not compile, since the memory ends with the expression.
// expect: (use of|call to) deleted .*values
// expect: (use of|call to) deleted .*rows
#include <strata/strata.hpp>

int main() {
  using namespace strata;
  const Sequential model{Input{3, 1}, Dense{2}};
  const Tensor<float> x({2, 3, 1});
  float sum = 0;
#ifdef STRATA_CONTROL
  const auto y = model.predict(x);
  for (const float value : y.values()) sum += value;
  const auto first = y.rows(0, 1);
#else
  for (const float value : model.predict(x).values()) sum += value;
  const auto first = model.predict(x).rows(0, 1);
#endif
  return sum > 0 && first.empty() ? 1 : 0;
}
