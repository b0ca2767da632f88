#include "all_headers.hpp"

strata::Shape shape_from_the_other_unit() {
  using namespace strata;
  Tensor<float> data({1, 3, 1}, {0.1f, 0.2f, 0.3f});
  Sequential model{Input{3, 1}, LSTM{1}};
  model.initialize(1);
  return model.predict(data).shape();
}
