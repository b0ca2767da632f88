// The kernels against the readable cell, for all widths, tails and batches.

#include "support/catch.hpp"
#include "support/layer_cases.hpp"
#include "support/tolerance.hpp"
#include "support/values_of.hpp"

using namespace strata;
using namespace strata::test;

namespace {

template <class Scalar>
Tensor<Scalar> step_by_cell(const LSTMCell<Scalar>& cell, const Tensor<Scalar>& x) {
  using State = LSTMState<Scalar, Dynamic, Dynamic>;
  Tensor<Scalar> y({x.batch(), x.steps(), cell.units()});
  State state = State::zero(cell.units(), x.batch());
  for (Index t = 0; t < x.steps(); ++t) {
    state = cell.step(x.step(t).transpose(), state);
    y.step(t) = state.h.transpose();
  }
  return y;
}

template <class Scalar>
void compare(Index units, Index features, Index batch, Index steps, const LSTMOptions& options,
             Scalar scale = 1) {
  LSTM<Scalar, Dynamic, Dynamic, return_sequences> layer{units, options};
  layer.build(features);
  layer.initialize(Random(static_cast<std::uint64_t>(units)));
  layer.cell().bias().setRandom();
  for (auto& parameter : layer.parameters()) {
    for (Scalar& value : parameter.values) value *= scale;
  }
  const auto x = random_tensor<Scalar>({batch, steps, features}, 21);
  INFO(units << " units, " << features << " features, " << batch << " sequences");
  require_close(values_of(predict(ForwardRef<Scalar>(layer), x)),
                values_of(step_by_cell(LSTMCell<Scalar>(layer.cell()), x)),
                tolerance<Scalar>.values);
}

}  // namespace

TEMPLATE_TEST_CASE("The kernel equals the cell for every number of units", "[kernel]", float,
                   double) {
  for (Index units = 1; units <= 70; ++units) compare<TestType>(units, 3, 2, 4, {});
}

TEMPLATE_TEST_CASE("The kernel equals the cell for every number of sequences", "[kernel]", float,
                   double) {
  for (Index batch = 1; batch <= 40; ++batch) compare<TestType>(17, 5, batch, 3, {});
}

TEMPLATE_TEST_CASE("The kernel equals the cell for every number of features", "[kernel]", float,
                   double) {
  for (Index features = 1; features <= 40; ++features) compare<TestType>(6, features, 3, 3, {});
}

TEMPLATE_TEST_CASE("The kernel equals the cell for every pair of activations", "[kernel]", float,
                   double) {
  const std::vector<Activation> all{
      Activation::linear,      Activation::relu,         Activation::sigmoid,
      Activation::tanh,        Activation::softsign,     Activation::elu,
      Activation::exponential, Activation::hard_sigmoid, Activation::softplus};
  for (const Activation activation : all) {
    for (const Activation recurrent : all) {
      INFO(name(activation) << " and " << name(recurrent));
      compare<TestType>(5, 2, 3, 2, {.activation = activation, .recurrent_activation = recurrent},
                        TestType(0.1));  // small, or exponentials of exponentials overflow
    }
  }
}
