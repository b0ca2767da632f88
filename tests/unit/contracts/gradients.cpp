// Analytic gradients against central differences in double, for every layer and every loss.

#include "support/catch.hpp"
#include "support/difference.hpp"
#include "support/layer_cases.hpp"
#include "support/tolerance.hpp"
#include "support/training_pass.hpp"

using namespace strata;
using namespace strata::test;

namespace {

void check_gradients(AnyLayer<double> layer, Tensor<double> x) {
  const Pass<double> pass{Random(5)};
  TrainingPass training(layer, x, pass, 17);
  const auto sum = [&] { return training.sum(); };
  // Backward adds to the numbers that the gradient holds, here 0.5.
  std::vector<double> gradient(static_cast<std::size_t>(layer.parameter_count()), 0.5);
  Tensor<double> dx;
  training.backward(gradient, &dx);

  std::size_t at = 0;
  for (auto& parameter : layer.parameters()) {
    for (double& value : parameter.values) {
      INFO(parameter.name << ", number " << &value - parameter.values.data());
      const double expected = parameter.trainable ? difference(value, sum) : 0.0;
      CHECK(gradient[at++] - 0.5 == Approx(expected).margin(difference_tolerance));
    }
  }
  // Ids have no neighbours.
  std::vector<double> input(x.values().size());
  if (layer.accepts() != Accepts::ids) {
    for (double& value : x.values()) {
      input[static_cast<std::size_t>(&value - x.data())] = difference(value, sum);
    }
  }
  require_close(dx.values(), input, {difference_tolerance, difference_tolerance});

  // Without dx the same gradients.
  std::vector<double> alone(gradient.size(), 0.5);
  training.backward(alone, nullptr);
  CHECK(alone == gradient);
}

template <class L>
void check_loss(L loss, const std::vector<double>& predictions, const std::vector<double>& target) {
  const auto size = static_cast<Index>(predictions.size());
  std::vector<double> p = predictions;
  std::vector<double> gradient(predictions.size());
  double* const none = nullptr;
  const auto value = [&] { return loss(p.data(), target.data(), size, none); };
  CHECK(loss(p.data(), target.data(), size, gradient.data()) == value());
  for (std::size_t i = 0; i < p.size(); ++i) {
    CHECK(gradient[i] == Approx(difference(p[i], value)).margin(difference_tolerance));
  }
}

}  // namespace

TEST_CASE("Gradients of every layer equal finite differences", "[gradients]") {
  for (auto& one : layer_cases<double>()) {
    DYNAMIC_SECTION(one.name) { check_gradients(one.layer, one.input(3, 4, 13)); }
  }
}

TEST_CASE("Gradients over one step, one sequence and long sequences", "[gradients]") {
  for (const auto& [batch, steps] :
       std::vector<std::pair<Index, Index>>{{1, 1}, {1, 9}, {9, 1}, {7, 40}}) {
    LSTM<double> layer{3};
    layer.build(2);
    layer.initialize(Random(1));
    check_gradients(AnyLayer<double>(layer), random_tensor<double>({batch, steps, 2}, 14));
  }
}

TEST_CASE("Gradients of Dense on samples without steps", "[gradients]") {
  Dense<double> layer{4, Activation::softmax};
  layer.build(3);
  layer.initialize(Random(1));
  check_gradients(AnyLayer<double>(layer), random_tensor<double>({5, 3}, 15));
}

TEST_CASE("Gradients of every loss of rows equal finite differences", "[gradients]") {
  const std::vector<double> values{0.3, -1.7, 2.2, 0.05};
  const std::vector<double> target{0.1, 0.4, -0.6, 1.4};
  const std::vector<double> probabilities{0.2, 0.5, 0.25, 0.05};
  const std::vector<double> one_hot{0, 0, 1, 0};
  const std::vector<double> shares{0.1, 0.2, 0.6, 0.1};
  check_loss(MeanSquaredError{}, values, target);
  check_loss(MeanAbsoluteError{}, values, target);
  check_loss(Huber{}, values, target);
  check_loss(Huber{.delta = 0.3}, values, target);
  check_loss(BinaryCrossentropy{}, probabilities, shares);
  check_loss(BinaryCrossentropy{.label_smoothing = 0.1}, probabilities, one_hot);
  check_loss(BinaryCrossentropy{.from_logits = true}, values, shares);
  check_loss(CategoricalCrossentropy{}, probabilities, one_hot);
  check_loss(CategoricalCrossentropy{.label_smoothing = 0.1}, probabilities, shares);
  check_loss(CategoricalCrossentropy{.from_logits = true}, values, shares);
  check_loss(CategoricalCrossentropy{.from_logits = true, .label_smoothing = 0.2}, values, one_hot);
  for (const double right : {0.0, 1.0, 2.0, 3.0}) {
    check_loss(SparseCategoricalCrossentropy{}, probabilities, {right});
    check_loss(SparseCategoricalCrossentropy{.from_logits = true}, values, {right});
  }
  check_loss(GaussianNLL{}, values, {0.1, 0.4});
  check_loss(Quantiles{{0.2, 0.7}}, values, {0.1, 0.4});
  check_loss(MixtureDensity{.components = 2}, {0.3, -1.7, 2.2, 0.05, -0.4, 0.9}, {0.7});
  check_loss(PenDensity{.components = 1}, {0.3, -1.7, 0.2, 0.05, -0.4, 0.9, -0.6}, {0.7, -0.1, 1});
}

TEST_CASE("The gradient of a stack equals finite differences through its loss", "[gradients]") {
  Sequential model{Input{4, 2}, LSTM<double, Dynamic, Dynamic, return_sequences>{3},
                   LSTM<double>{4}, Dense<double>{2, Activation::softmax}};
  auto x = random_tensor<double>({5, 4, 2}, 16);
  Tensor<double> y({5, 1}, {0, 1, 1, 0, 1});
  const Loss<double> loss = SparseCategoricalCrossentropy{};
  auto network = model.trainable_network();
  TrainableNetwork<double>::Tape tape;
  const auto value = [&] { return loss(network.forward(x, tape, Random(1)), y, nullptr); };
  loss(network.forward(x, tape, Random(1)), y, &tape.derivative);
  std::vector<double> gradient(static_cast<std::size_t>(model.parameter_count()));
  network.backward(x, tape, gradient);
  std::size_t at = 0;
  for (auto& parameter : model.parameters()) {
    for (double& number : parameter.values) {
      CHECK(gradient[at++] == Approx(difference(number, value)).margin(difference_tolerance));
    }
  }
}
