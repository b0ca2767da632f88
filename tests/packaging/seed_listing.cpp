// What a user's first program looks like: one value for the whole sequence, then one for each step.
#include <iostream>

#include <strata/strata.hpp>

int main() {
  using namespace strata;
  Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
  Sequential one{Input{3, 1}, LSTM{1}};
  Sequential each{Input{3, 1}, LSTM{1, return_sequences}};
  const Shape whole = one.predict(data).shape();
  const Shape steps = each.predict(data).shape();
  std::cout << "strata " << version_string << ": " << to_string(whole) << " and "
            << to_string(steps) << '\n';
  return whole == Shape{1, 1} && steps == Shape{1, 3, 1} ? 0 : 1;
}
