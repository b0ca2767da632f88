// Analytic gradients against central differences in double, through masks and states, for every
// layer that has a state.

#include "support/catch.hpp"
#include "support/difference.hpp"
#include "support/layer_cases.hpp"
#include "support/tolerance.hpp"
#include "support/training_pass.hpp"

using namespace strata;
using namespace strata::test;

namespace {

void check_gradients(const LayerCase<double>& one, const Mask& mask) {
  AnyLayer<double> layer = one.layer;
  auto x = one.input(3, 5, 45);
  const Index size = layer.state_size();
  auto initial = random_tensor<double>({3, size}, 42);
  const auto final_weight = random_tensor<double>({3, size}, 43);
  Tensor<double> state({3, size});
  Tensor<double> dinitial({3, size});
  Pass<double> pass{.random = Random(5),
                    .initial_state = {std::as_const(initial).data(), size},
                    .final_state = {state.data(), size},
                    .final_derivative = {final_weight.data(), size},
                    .initial_derivative = {dinitial.data(), size}};
  if (!mask.empty()) pass.mask = &mask;

  TrainingPass training(layer, x, pass, 44);
  const auto sum = [&] {
    const double outputs = training.sum();
    return outputs + (state.matrix().array() * final_weight.matrix().array()).sum();
  };
  std::vector<double> gradient(static_cast<std::size_t>(layer.parameter_count()), 0.5);
  Tensor<double> dx;
  training.backward(gradient, &dx);

  const auto check = [&](double& value, double analytic) {
    CHECK(analytic == Approx(difference(value, sum)).margin(difference_tolerance));
  };
  std::size_t at = 0;
  for (auto& parameter : layer.parameters()) {
    INFO(parameter.name);
    for (double& value : parameter.values) check(value, gradient[at++] - 0.5);
  }
  const Tensor<double> by_initial = dinitial;
  for (Index i = 0; i < x.size(); ++i) check(x.data()[i], std::as_const(dx).data()[i]);
  for (Index i = 0; i < initial.size(); ++i) check(initial.data()[i], by_initial.data()[i]);
}

}  // namespace

TEST_CASE("Gradients through states equal finite differences", "[gradients]") {
  for (auto& one : layer_cases<double>()) {
    if (one.layer.state_size() == 0 || one.layer.parameter_count() > 2000) continue;
    DYNAMIC_SECTION(one.name) { check_gradients(one, {}); }
  }
}

TEST_CASE("Gradients through masks with holes and states equal finite differences", "[gradients]") {
  Mask mask(3, 5);
  mask.set(0, 0, false);
  mask.set(0, 1, false);
  mask.set(1, 2, false);
  mask.set(1, 4, false);
  for (Index t = 0; t < 5; ++t) mask.set(2, t, false);
  for (auto& one : layer_cases<double>()) {
    if (one.layer.state_size() == 0 || one.layer.parameter_count() > 2000) continue;
    DYNAMIC_SECTION(one.name) { check_gradients(one, mask); }
  }
}
