#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

// Short training runs, epoch by epoch, against Keras' fit.

namespace {

using namespace strata;
using namespace strata::test;

template <class Scalar>
constexpr const char* file_of = "training.txt";
template <>
constexpr const char* file_of<float> = "training_float32.txt";

template <class Scalar>
using LSTMSequence = LSTM<Scalar, Dynamic, Dynamic, return_sequences>;

template <class Scalar, class... Layers>
Sequential<Scalar> run_time_model(const Layers&... layers) {
  Sequential<Scalar> model;
  (model.add(layers), ...);
  return model;
}

template <class Model>
void start_from(Model& model, const Golden& golden, const std::string& name, const Shape& x) {
  if (!model.is_built()) model.build(Input(x[1], x[2]));
  load_parameters(model.parameters(), golden, name + ".initial.");
}

template <class Scalar>
void require_figures_close(const Evaluation& figures, const Golden& golden,
                           const std::string& prefix) {
  const auto names = golden.endings(prefix);
  REQUIRE(names.size() == figures.metrics.size() + 1);
  for (const auto& name : names) {
    require_close(figures[name], golden[prefix + name].value(), tolerance<Scalar>.training,
                  prefix + name);
  }
}

template <class Model>
void require_end_close(Model& model, const Golden& golden, const std::string& name,
                       const Tensor<typename Model::Scalar>& x,
                       const Tensor<typename Model::Scalar>& y, Index batch_size) {
  using Scalar = typename Model::Scalar;
  require_parameters_close<Scalar>(model.parameters(), model.weights(), golden, name + ".final.",
                                   tolerance<Scalar>.training);
  require_figures_close<Scalar>(model.evaluate(x, y, {.batch_size = batch_size}), golden,
                                name + ".evaluate.");
  require_tensor_close(model.predict(x, {.batch_size = batch_size}), golden, name + ".predict",
                       tolerance<Scalar>.training);
}

/// A compiled model, from Keras' first weights to its last.
template <class Model>
void check_fit(const Golden& golden, const std::string& name, Model model,
               FitOptions<typename Model::Scalar> options) {
  using Scalar = typename Model::Scalar;
  INFO(name);
  const auto x = golden[name + ".x"].template tensor<Scalar>();
  const auto y = golden[name + ".y"].template tensor<Scalar>();
  start_from(model, golden, name, x.shape());
  options.shuffle = false;
  options.verbose = 0;
  if (golden.contains(name + ".val_x")) {
    options.validation_data = {golden[name + ".val_x"].template tensor<Scalar>(),
                               golden[name + ".val_y"].template tensor<Scalar>()};
  }
  const History history = model.fit(x, y, options);

  const auto figures = golden.endings(name + ".history.");
  REQUIRE(!figures.empty());
  for (const auto& figure : figures) {
    require_close(history[figure], golden[name + ".history." + figure].values,
                  tolerance<Scalar>.training, name + ", " + figure);
  }
  for (const auto& figure : history.names()) {
    INFO(figure);
    CHECK((figure == "learning_rate" || golden.contains(name + ".history." + figure)));
  }
  require_end_close(model, golden, name, x, y, options.batch_size);
}

template <class Model>
Model compiled(Model model, Optimizer<typename Model::Scalar> optimizer,
               Loss<typename Model::Scalar> loss,
               std::vector<Metric<typename Model::Scalar>> metrics = {}) {
  model.compile(std::move(optimizer), std::move(loss), std::move(metrics));
  return model;
}

}  // namespace

TEMPLATE_TEST_CASE("Training: regression with validation data, Adam", "[golden][training]", float,
                   double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  const auto check = [&](const auto& model) {
    check_fit(
        golden, "regression",
        compiled(model, Adam{.learning_rate = 0.01}, MeanSquaredError{}, {MeanAbsoluteError{}}),
        {.epochs = 10, .batch_size = 4});
  };
  check(run_time_model<S>(LSTM{5, return_sequences}, LSTM{4}, Dense{2}));
  check(Sequential{LSTMSequence<S>(5, return_sequences), LSTM<S>(4), Dense<S>(2)});
  check(Sequential<LSTM<S, 2, 5, return_sequences>, LSTM<S, 5, 4>, Dense<S, 4, 2>>{});
}

TEMPLATE_TEST_CASE("Training: classes, RMSprop", "[golden][training]", float, double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  const auto check = [&](const auto& model) {
    check_fit(golden, "classes",
              compiled(model, RMSprop{.learning_rate = 0.03}, SparseCategoricalCrossentropy{},
                       {Accuracy{}}),
              {.epochs = 10, .batch_size = 5});
  };
  check(run_time_model<S>(LSTM{6}, Dense{3, Activation::softmax}));
  check(Sequential{LSTM<S>(6), Dense<S>(3, Activation::softmax)});
}

TEMPLATE_TEST_CASE(
    "Training: a probability per step, SGD with a falling rate, a share for "
    "validation",
    "[golden][training]", float, double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  const LearningRateScheduler fall{
      .schedule = [](int epoch, double rate) { return epoch == 0 ? rate : 0.75 * rate; }};
  const auto check = [&](const auto& model) {
    check_fit(golden, "per_step",
              compiled(model, SGD{.learning_rate = 2, .momentum = 0.5, .nesterov = true},
                       BinaryCrossentropy{}, {BinaryAccuracy{}}),
              {.epochs = 8, .batch_size = 3, .validation_split = 0.25, .callbacks = {fall}});
  };
  check(run_time_model<S>(LSTM{4, return_sequences}, Dense{1, Activation::sigmoid}));
  check(Sequential{LSTMSequence<S>(4, return_sequences), Dense<S>(1, Activation::sigmoid)});
}

TEMPLATE_TEST_CASE("Training: four layers, AdamW, clipping, smoothed labels", "[golden][training]",
                   float, double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  const LSTM sequence{3, return_sequences};
  check_fit(
      golden, "deep",
      compiled(
          run_time_model<S>(sequence, sequence, sequence, LSTM{3}, Dense{3, Activation::softmax}),
          AdamW{.learning_rate = 0.02, .weight_decay = 0.05, .clip = {.global_norm = 0.25}},
          CategoricalCrossentropy{.label_smoothing = 0.1}, {Accuracy{}}),
      {.epochs = 6, .batch_size = 4});
}

TEMPLATE_TEST_CASE("Training: Huber's loss, a layer that reads backwards", "[golden][training]",
                   float, double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  check_fit(golden, "huber",
            compiled(run_time_model<S>(LSTM{4, LSTMOptions{.go_backwards = true}}, Dense{1}),
                     RMSprop{.learning_rate = 0.01, .momentum = 0.5, .centered = true},
                     Huber{.delta = 0.25}, {RootMeanSquaredError{}}),
            {.epochs = 5});
}

TEMPLATE_TEST_CASE("Training: train_on_batch and test_on_batch", "[golden][training]", float,
                   double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  const std::string name = "on_batch";
  auto model = compiled(run_time_model<S>(LSTM{4}, Dense{2}), Adam{.learning_rate = 0.05},
                        MeanSquaredError{}, {MeanAbsoluteError{}});
  Tensor<S> x;
  Tensor<S> y;
  for (int batch = 0; batch < 4; ++batch) {
    const std::string now = name + "." + std::to_string(batch) + ".";
    x = golden[now + "x"].template tensor<S>();
    y = golden[now + "y"].template tensor<S>();
    if (batch == 0) start_from(model, golden, name, x.shape());
    require_figures_close<S>(model.train_on_batch(x, y), golden, now + "train.");
    require_figures_close<S>(model.test_on_batch(x, y), golden, now + "test.");
  }
  require_end_close(model, golden, name, x, y, 32);
}

// Keras on TensorFlow finds the logits behind a softmax or sigmoid and trains by them, so that a
// wrong answer is corrected however sure it is. strata, like Keras on its other backends, clips the
// probabilities: the loss stays at 16 and the gradient is zero.
TEMPLATE_TEST_CASE("Training: probabilities of 0 and 1 still learn",
                   "[golden][training][!shouldfail]", float, double) {
  using S = TestType;
  const Golden golden = Golden::read(file_of<S>);
  const SGD optimizer{.learning_rate = 0.5};
  const FitOptions<S> options{.epochs = 3, .batch_size = 4};
  const auto softmax = run_time_model<S>(LSTM{3}, Dense{3, Activation::softmax});
  const auto sigmoid = run_time_model<S>(LSTM{3}, Dense{1, Activation::sigmoid});
  check_fit(golden, "saturated_softmax",
            compiled(softmax, optimizer, SparseCategoricalCrossentropy{}), options);
  check_fit(golden, "saturated_one_hot", compiled(softmax, optimizer, CategoricalCrossentropy{}),
            options);
  check_fit(golden, "saturated_sigmoid", compiled(sigmoid, optimizer, BinaryCrossentropy{}),
            options);
}
