// Two translation units that both include every header: a function that is neither a template nor
// inline would be defined twice.
#include "all_headers.hpp"

strata::Shape shape_from_the_other_unit();

int main() {
  using namespace strata;
  Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
  Sequential model{Input{3, 1}, LSTM{1}};
  model.initialize(1);
  return model.predict(data).shape() == shape_from_the_other_unit() ? 0 : 1;
}
