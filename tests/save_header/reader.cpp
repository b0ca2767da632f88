// Compiles the headers that writer.cpp has written: the models predict the same bits.

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <type_traits>

#include "amp_int16_model.hpp"
#include "amp_model.hpp"
#include "expected.hpp"
#include "fine_int16_model.hpp"
#include "fine_model.hpp"
#include "models.hpp"
#include "nested_int16_model.hpp"
#include "nested_model.hpp"

using namespace strata;

static_assert(std::is_same_v<amp::Model, Sequential<LSTM<float, 1, 5, true>,
                                                    LSTM<float, 5, 4, true>, Dense<float, 4, 1>>>);

// The kernels of two LSTM layers and of the Dense layer.
static_assert(std::size(amp_int16::integers) == 1 * 20 + 5 * 20 + 5 * 16 + 4 * 16 + 4 * 1);

template <class Model, std::size_t Size>
bool same(const char* name, const Model& model, const double (&expected)[Size]) {
  using Scalar = typename Model::scalar_type;
  const auto y = model.predict(test::header_input<Scalar>(model.input()->features()));
  const bool equal = y.values().size() == Size && std::equal(expected, expected + Size, y.data());
  std::printf("%s: %s\n", name, equal ? "the same bits" : "other numbers");
  return equal;
}

int main() {
  const bool all = same("amp", amp::model(), amp_output) &
                   same("nested", nested::model(), nested_output) &
                   same("fine", fine::model(), fine_output) &
                   same("amp_int16", amp_int16::model(), amp_int16_output) &
                   same("nested_int16", nested_int16::model(), nested_int16_output) &
                   same("fine_int16", fine_int16::model(), fine_int16_output);
  return all ? 0 : 1;
}
