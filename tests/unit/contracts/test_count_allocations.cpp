#include <cstddef>
#include <vector>

#include <strata/strata.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/layer_cases.hpp"

// Each training step asks every layer how many numbers its parameters have.

TEMPLATE_TEST_CASE("A layer counts its parameters without asking for memory", "[laws]", float,
                   double) {
  for (auto& one : strata::test::layer_cases<TestType>()) {
    DYNAMIC_SECTION(one.name) {
      strata::Index listed = 0;
      for (const auto& parameter : one.layer.parameters()) listed += parameter.shape.size();
      strata::Index counted = -1;
      const std::size_t allocations =
          strata::test::allocations_of([&] { counted = one.layer.parameter_count(); });
      CHECK(counted == listed);
      CHECK(allocations == 0);
    }
  }
}

TEST_CASE("A backward pass asks for no memory to count parameters") {
  using strata::Tensor;
  strata::Sequential<> model;
  model.add(strata::Input{2});
  for (int i = 0; i < 3; ++i) model.add(strata::Dense{2});
  const auto network = model.trainable_network();
  const Tensor<float> x({1, 2}, {0.5F, -0.5F});
  strata::TrainableNetwork<float>::Tape tape;
  std::vector<float> gradient(static_cast<std::size_t>(network.parameter_count()));
  const auto backward = [&] {
    tape.derivative = network.forward(x, tape, strata::Random(1));
    return strata::test::allocations_of([&] { network.backward(x, tape, gradient); });
  };
  (void)backward();
  CHECK(backward() == 0);
}
