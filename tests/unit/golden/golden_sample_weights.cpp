#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Trainings with weights of samples, steps and classes, against Keras' fit, evaluate,
// train_on_batch and test_on_batch.

namespace {

using namespace strata;
using namespace strata::test;

template <class Scalar>
void require_figures(const Evaluation& figures, const Golden& golden, const std::string& prefix) {
  const auto names = golden.endings(prefix);
  REQUIRE(names.size() == figures.metrics.size() + 1);
  for (const auto& name : names) {
    require_close(figures[name], golden[prefix + name].value(), tolerance<Scalar>.training,
                  prefix + name);
  }
}

template <class Scalar>
void check_weighted(const Golden& golden, const std::string& name, Sequential<Scalar> model,
                    Loss<Scalar> loss, std::vector<Metric<Scalar>> metrics,
                    double validation_split = 0) {
  INFO(name);
  const auto tensor = [&](const std::string& part) {
    return golden[name + "." + part].template tensor<Scalar>();
  };
  const Tensor<Scalar> x = tensor("x"), y = tensor("y");
  FitOptions<Scalar> options{.epochs = 3,
                             .batch_size = 4,
                             .shuffle = false,
                             .validation_split = validation_split,
                             .verbose = 0};
  if (golden.contains(name + ".weights")) options.sample_weight = tensor("weights");
  for (const auto& number : golden.endings(name + ".class_weight.")) {
    options.class_weight[std::stoi(number)] = golden[name + ".class_weight." + number].value();
  }
  if (golden.contains(name + ".validation.x")) {
    options.validation_data = {tensor("validation.x"), tensor("validation.y")};
    options.validation_sample_weight = tensor("validation.weights");
  }
  model.build(Input{x.steps(), x.features()});
  load_parameters(model.parameters(), golden, name + ".initial.");
  model.compile(Adam{.learning_rate = 0.05}, std::move(loss), std::move(metrics));

  const auto require_weights = [&](const std::string& when) {
    require_parameters_close<Scalar>(model.parameters(), model.weights(), golden,
                                     name + "." + when + ".", tolerance<Scalar>.training);
  };
  const History history = model.fit(x, y, options);
  const auto figures = golden.endings(name + ".history.");
  REQUIRE(figures.size() == history.names().size());
  for (const auto& figure : figures) {
    require_close(history[figure], golden[name + ".history." + figure].values,
                  tolerance<Scalar>.training, name + ", " + figure);
  }
  require_weights("final");
  const SampleWeights<Scalar> weights = options.sample_weight;
  require_figures<Scalar>(model.evaluate(x, y, {.batch_size = 4, .sample_weight = weights}), golden,
                          name + ".evaluate.");
  const BatchOptions<Scalar> batch{.sample_weight = weights, .class_weight = options.class_weight};
  require_figures<Scalar>(model.train_on_batch(x, y, batch), golden, name + ".train_on_batch.");
  require_figures<Scalar>(model.test_on_batch(x, y, batch), golden, name + ".test_on_batch.");
  require_weights("last");
}

}  // namespace

TEMPLATE_TEST_CASE("Weights of samples, steps and classes are those of Keras", "[golden][training]",
                   float, double) {
  using S = TestType;
  const Golden golden = Golden::read("sample_weights.txt");
  const auto model = [](const auto&... layers) {
    Sequential<S> all;
    (all.add(layers), ...);
    return all;
  };
  const Sequential<S> sigmoid = model(LSTM{3}, Dense{1, Activation::sigmoid});
  const Sequential<S> softmax = model(LSTM{4}, Dense{3, Activation::softmax});
  const std::vector<Metric<S>> accuracies = {BinaryAccuracy{}, Weighted{BinaryAccuracy{}}};
  check_weighted<S>(golden, "samples", sigmoid, BinaryCrossentropy{}, accuracies);
  check_weighted<S>(golden, "zero_or_one", sigmoid, BinaryCrossentropy{}, accuracies);
  check_weighted<S>(golden, "classes", softmax, SparseCategoricalCrossentropy{}, {}, 0.25);
  check_weighted<S>(golden, "one_hot", softmax, CategoricalCrossentropy{}, {});

  const std::vector<Metric<S>> distances = {
      {MeanAbsoluteError{}, "mean_absolute_error"},
      Weighted{MeanAbsoluteError{}, "weighted_mean_absolute_error"}};
  const LSTM sequence{3, return_sequences};
  check_weighted<S>(golden, "steps", model(sequence, Dense{2}), MeanSquaredError{}, distances);
  check_weighted<S>(golden, "masked_steps", model(Masking{}, sequence, Dense{2}),
                    MeanSquaredError{}, distances);
  CHECK(golden.unread().empty());
}
