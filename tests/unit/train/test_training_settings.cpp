#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <strata/strata.hpp>
#include <strata/train/apply_weight_rules.hpp>
#include <strata/train/training.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

// Settings of a training that make no sense, or do not go together: refused at compile or at the
// first call.

namespace {

using namespace strata;
using strata::test::error_text;

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinite = std::numeric_limits<double>::infinity();

/// A stack whose outputs have gone through an activation.
Sequential<> ending_in(Activation activation, Index units = 1) {
  Sequential<> model;
  model.add(LSTM{2});
  model.add(Dense{units, activation});
  return model;
}

/// The message with which training one batch is refused, the same for each way to train.
std::string refusal(Sequential<> model, const Loss<float>& loss, const std::vector<float>& targets,
                    const std::vector<Metric<float>>& metrics = {}) {
  const Tensor<float> x({2, 3, 1}, {.1f, .2f, .3f, .4f, .5f, .6f});
  const Tensor<float> y({2, static_cast<Index>(targets.size()) / 2}, targets);
  model.compile(SGD{}, loss, metrics);
  const std::string fit = error_text<ValueError>([&] { model.fit(x, y, {.verbose = 0}); });
  CHECK(error_text<ValueError>([&] { model.train_on_batch(x, y); }) == fit);
  if (metrics.empty()) {
    Trainer trainer{model, SGD{}, loss};
    CHECK(error_text<ValueError>([&] { trainer.step(x, y); }) == fit);
  }
  return fit;
}

template <class F>
std::string settings_error(F make) {
  return error_text<ValueError>([&] { (void)make(); });
}

/// Writes only the first of its derivatives, or none.
struct Forgets {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "forgets";
  bool all = true;

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index, Scalar* gradient) const {
    const double error = static_cast<double>(prediction[0] - target[0]);
    if (gradient && !all) gradient[0] = static_cast<Scalar>(2 * error);
    return error * error;
  }
};

/// Is finite, but its derivative is not.
struct Breaks {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "breaks";

  template <class Scalar>
  double operator()(const Scalar*, const Scalar*, Index size, Scalar* gradient) const {
    for (Index i = 0; gradient && i < size; ++i) gradient[i] = static_cast<Scalar>(infinite);
    return 1;
  }
};

/// A metric of a user with a name of one's choice.
template <const auto& Name>
struct Named {
  static constexpr const char* name = Name;
  double operator()(const float*, const float*, Index, Index) const { return 77; }
};
constexpr char loss_name[] = "loss";
constexpr char validation_name[] = "val_mae";

/// A rule of a user that refuses a setting.
struct Careful {
  static constexpr const char* name = "Careful";
  double learning_rate = 0.1;
  Clip clip{};
  void check() const {
    if (learning_rate > 1) throw ValueError("Careful: learning_rate is above 1");
  }
  [[nodiscard]] std::size_t slots() const { return 0; }
  template <class Scalar>
  void update(const UpdateView<Scalar>&, std::int64_t) const {}
};

/// A gradient for all weights of a small model; the weights begin at 1.
template <class Scalar>
struct Weights {
  std::vector<Scalar> values = std::vector<Scalar>(5, Scalar(1));
  std::vector<Parameter<Scalar>> parameters{{"w", {5}, values}};

  void update(Optimizer<Scalar>& optimizer, double gradient) {
    std::vector<Scalar> all(5, static_cast<Scalar>(gradient));
    optimizer.update(parameters, all);
  }
};

}  // namespace

TEST_CASE("Settings: optimizers refuse what has no meaning", "[settings]") {
  const auto of = [](auto rule) { return settings_error([&] { return Optimizer<float>(rule); }); };
  CHECK(of(SGD{.momentum = -3}) == "SGD: momentum must be from 0 to 1, found -3");
  CHECK(of(SGD{.momentum = not_a_number}) == "SGD: momentum must be from 0 to 1, found nan");
  CHECK(of(SGD{.nesterov = true}) == "SGD: nesterov needs a momentum above 0, but momentum is 0");
  CHECK(of(RMSprop{.rho = 1.5}) == "RMSprop: rho must be at least 0 and below 1, found 1.5");
  CHECK(of(RMSprop{.momentum = 2}) == "RMSprop: momentum must be from 0 to 1, found 2");
  CHECK(of(Adam{.beta_1 = 2}) == "Adam: beta_1 must be at least 0 and below 1, found 2");
  CHECK(of(Adam{.beta_2 = 1}) == "Adam: beta_2 must be at least 0 and below 1, found 1");
  CHECK(of(Adam{.epsilon = -1}) == "Adam: epsilon must be at least 0 and finite, found -1");
  CHECK(of(AdamW{.beta_1 = -1}) == "AdamW: beta_1 must be at least 0 and below 1, found -1");
  CHECK(of(AdamW{.weight_decay = not_a_number}) ==
        "AdamW: weight_decay must be at least 0 and finite, found nan");
  CHECK(of(AdamW{.learning_rate = 1, .weight_decay = 3}) ==
        "AdamW: learning_rate * weight_decay must be below 1, so that a step makes weights smaller "
        "and does not turn their signs, found 3");
  CHECK(of(SGD{.learning_rate = infinite}) ==
        "the learning rate must be at least 0 and finite, found inf");
  const std::string limit = " must be at least 0 and finite, where 0 means no limit, found ";
  CHECK(of(SGD{.clip = {.norm = not_a_number}}) == "SGD: .clip.norm" + limit + "nan");
  CHECK(of(SGD{.clip = {.value = infinite}}) == "SGD: .clip.value" + limit + "inf");
  CHECK(of(SGD{.clip = {.global_norm = -1}}) == "SGD: .clip.global_norm" + limit + "-1");
  CHECK(of(SGD{.clip = {.value = 1, .norm = 1}}) == "SGD: at most one limit of clip can be set");
  // Limits of the ranges that Keras takes too, and that have a meaning.
  CHECK_NOTHROW(Optimizer<float>(SGD{.momentum = 1}));
  CHECK_NOTHROW(Optimizer<float>(Adam{.beta_1 = 0, .epsilon = 0}));

  SECTION("and so do rules of users, for later learning rates too") {
    CHECK(of(Careful{.learning_rate = 2}) == "Careful: learning_rate is above 1");
    Optimizer<float> optimizer = Careful{};
    CHECK(error_text<ValueError>([&] { optimizer.set_learning_rate(2); }) ==
          "Careful: learning_rate is above 1");
    CHECK(optimizer.learning_rate() == 0.1);
  }
}

TEST_CASE("Settings: losses, metrics and weight rules refuse what has no meaning", "[settings]") {
  const auto of = [](auto loss) { return settings_error([&] { return Loss<float>(loss); }); };
  CHECK(of(Huber{.delta = -1}) == "huber: delta must be above 0 and finite, found -1");
  CHECK(of(Huber{.delta = not_a_number}) == "huber: delta must be above 0 and finite, found nan");
  CHECK(of(BinaryCrossentropy{.label_smoothing = 5}) ==
        "binary_crossentropy: label_smoothing must be from 0 to 1, found 5");
  CHECK(of(CategoricalCrossentropy{.label_smoothing = -1}) ==
        "categorical_crossentropy: label_smoothing must be from 0 to 1, found -1");
  CHECK(settings_error([] { return Metric<float>(BinaryAccuracy{.threshold = not_a_number}); }) ==
        "binary_accuracy: threshold must be finite, found nan");
  CHECK(settings_error([] { return Metric<float>(Huber{.delta = 0}); }) ==
        "huber: delta must be above 0 and finite, found 0");

  auto model = ending_in(Activation::linear);
  const auto rules = [&](const WeightRules& given) {
    return settings_error([&] { model.compile(SGD{}, MeanSquaredError{}, {}, given); });
  };
  const std::string where = "compile: the rule for kernel: ";
  CHECK(rules({.regularizers = {{"kernel", L2{-1}}}}) ==
        where + "l2 must be at least 0 and finite, found -1");
  CHECK(rules({.regularizers = {{"kernel", L1{not_a_number}}}}) ==
        where + "l1 must be at least 0 and finite, found nan");
  CHECK(rules({.constraints = {{"kernel", MaxNorm{-1}}}}) ==
        where + "max_value must be above 0 and finite, found -1");
  CHECK(rules({.constraints = {{"kernel", MinMaxNorm{.min_value = 2, .max_value = 1}}}}) ==
        where + "max_value must be above 0, finite and at least min_value, found 1");
  CHECK(rules({.constraints = {{"kernel", MinMaxNorm{.rate = 1.5}}}}) ==
        where + "rate must be from 0 to 1, found 1.5");
}

TEST_CASE("Settings: no metric hides another figure", "[settings]") {
  auto model = ending_in(Activation::sigmoid);
  const auto compile = [&](const std::vector<Metric<float>>& metrics) {
    return settings_error([&] { model.compile(SGD{}, BinaryCrossentropy{}, metrics); });
  };
  const std::string taken =
      "\", but \"loss\", \"epoch\", \"learning_rate\", no name at all and names that begin with "
      "\"val_\" belong to other figures; give it another name: {TheMetric{}, \"name\"}";
  CHECK(compile({Named<loss_name>{}}) == "compile: metric 0 is named \"loss" + taken);
  CHECK(compile({MeanAbsoluteError{}, Named<validation_name>{}}) ==
        "compile: metric 1 is named \"val_mae" + taken);
  CHECK(compile({{MeanAbsoluteError{}, "epoch"}}) == "compile: metric 0 is named \"epoch" + taken);
  CHECK(compile({BinaryAccuracy{}, MeanAbsoluteError{}, BinaryAccuracy{.threshold = 0.7}}) ==
        "compile: metrics 0 and 2 are both named \"binary_accuracy\"; give one another name: "
        "{TheMetric{}, \"name\"}");
  CHECK(compile({SparseCategoricalAccuracy{}}) ==
        "compile: the metric sparse_categorical_accuracy compares with class numbers, but the loss "
        "binary_crossentropy with values, one for each output; Accuracy does for both");
  CHECK(settings_error([&] {
          model.compile(SGD{}, SparseCategoricalCrossentropy{}, {MeanAbsoluteError{}});
        }) ==
        "compile: the metric mae compares with values, one for each output, but the loss "
        "sparse_categorical_crossentropy with class numbers");

  // All predictions are between the two thresholds.
  model.compile(SGD{}, BinaryCrossentropy{},
                {{BinaryAccuracy{.threshold = 0.1}, "accuracy_at_10"},
                 {BinaryAccuracy{.threshold = 0.9}, "accuracy_at_90"}});
  const Tensor<float> x({2, 3, 1}, {.1f, .2f, .3f, .4f, .5f, .6f});
  const auto figures = model.train_on_batch(x, Tensor<float>({2, 1}, {1, 1})).metrics;
  CHECK(figures["accuracy_at_10"] == 1);
  CHECK(figures["accuracy_at_90"] == 0);
}

TEST_CASE("Settings: the last activation is what the loss takes", "[settings]") {
  const std::string dense = "layer 1 (Dense, 1 units)";
  CHECK(refusal(ending_in(Activation::linear), BinaryCrossentropy{}, {0, 1}) ==
        "loss binary_crossentropy: takes the outputs for probabilities, but " + dense +
            " ends in the activation linear; give it Activation::sigmoid or Activation::softmax, "
            "or the loss .from_logits = true");
  CHECK(refusal(ending_in(Activation::sigmoid), BinaryCrossentropy{.from_logits = true}, {0, 1}) ==
        "loss binary_crossentropy: takes logits, to which it applies the sigmoid or softmax "
        "itself, but " +
            dense + " applies sigmoid already; leave out one of the two");
  CHECK(refusal(ending_in(Activation::softmax, 3),
                SparseCategoricalCrossentropy{.from_logits = true}, {0, 1})
            .ends_with("layer 1 (Dense, 3 units) applies softmax already; leave out one of the "
                       "two"));
  CHECK(refusal(ending_in(Activation::softmax), MeanSquaredError{}, {0, 1}) ==
        dense +
            ": a softmax over one number is 1, whatever the number is; use "
            "Activation::sigmoid, or as many units as there are classes");
  // Layers that hand numbers on do not hide it.
  auto dropped = ending_in(Activation::relu, 2);
  dropped.add(Dropout{0.5});
  CHECK(refusal(dropped, CategoricalCrossentropy{}, {0, 1, 1, 0})
            .find("layer 1 (Dense, 2 units) ends in the activation relu") != std::string::npos);

  const std::string fine = "(nothing was thrown)";
  auto applied = ending_in(Activation::linear);
  applied.add(Activate{Activation::sigmoid});
  CHECK(refusal(applied, BinaryCrossentropy{}, {0, 1}) == fine);
  CHECK(refusal(ending_in(Activation::exponential, 2), CategoricalCrossentropy{}, {0, 1, 1, 0}) ==
        fine);
  CHECK(refusal(ending_in(Activation::tanh), BinaryCrossentropy{.from_logits = true}, {0, 1}) ==
        fine);
}

TEST_CASE("Settings: the targets are what loss and metrics take", "[settings]") {
  const auto binary = ending_in(Activation::sigmoid);
  CHECK(refusal(binary, BinaryCrossentropy{}, {0, 5}) ==
        "y(1, 0) is 5, but the targets of binary_crossentropy must be from 0 to 1");
  CHECK(refusal(ending_in(Activation::linear), MeanSquaredError{}, {0.5f, 2}, {Accuracy{}}) ==
        "the metric accuracy: takes predictions for 0 or 1, but a target is 0.5; it counts right "
        "classes, but the loss mse is one of a regression; use MeanAbsoluteError, for instance");
  CHECK(refusal(ending_in(Activation::linear), MeanSquaredError{}, {0, 1}, {Accuracy{}}) ==
        "(nothing was thrown)");

  SECTION("validation data too, and before anything changes") {
    auto model = binary;
    model.compile(SGD{}, BinaryCrossentropy{});
    const Tensor<float> x({1, 3, 1}, {.1f, .2f, .3f});
    const Tensor<float> y({1, 1}, {1});
    model.train_on_batch(x, y);
    const auto before = model.weights();
    const Tensor<float> wrong({1, 1}, {-1});
    CHECK(error_text<ValueError>([&] {
            model.fit(x, y, {.validation_data = {{x, wrong}}, .verbose = 0});
          }) ==
          "validation y(0, 0) is -1, but the targets of binary_crossentropy must be from 0 to 1");
    CHECK(error_text<ValueError>([&] { (void)model.evaluate(x, wrong); }) ==
          "binary_crossentropy: targets must be from 0 to 1, found -1");
    CHECK(error_text<ValueError>([&] { model.train_on_batch(x, wrong); }) ==
          "binary_crossentropy: targets must be from 0 to 1, found -1");
    CHECK(model.weights() == before);
  }

  SECTION("of steps that do not count they may be anything") {
    Sequential<> model;
    model.add(LSTM{2, return_sequences});
    model.add(Dense{1, Activation::sigmoid});
    model.compile(SGD{}, BinaryCrossentropy{});
    const Tensor<float> x({1, 2, 1}, {.1f, .2f});
    const Tensor<float> y({1, 2, 1}, {1, -1});
    Mask mask(1, 2);
    mask.set(0, 0, true);
    mask.set(0, 1, false);
    CHECK_NOTHROW(model.fit(x, y, {.mask = mask, .verbose = 0}));
    CHECK(error_text<ValueError>([&] { model.fit(x, y, {.verbose = 0}); }) ==
          "y(0, 1, 0) is -1, but the targets of binary_crossentropy must be from 0 to 1");
  }

  SECTION("what Keras takes and may be meant is a warning") {
    const Tensor<float> y({1, 2}, {2, 1});
    Sequential<> model = ending_in(Activation::softmax, 2);
    const Training<float> training(SGD{}, CategoricalCrossentropy{}, {Accuracy{}}, {});
    const auto warnings = training.warnings(model.network(), {1, 3, 1}, y, {});
    CHECK(warnings ==
          std::vector<std::string>{
              "the metric accuracy: the targets of a row have the sum 3, but probabilities have 1",
              "the loss categorical_crossentropy: the targets of a row have the sum 3, but "
              "probabilities have 1"});
  }
}

TEST_CASE("Settings: a loss writes its whole derivative", "[settings]") {
  const std::string text =
      " derivatives of a row; where `gradient` is not null a loss writes gradient[0] to "
      "gradient[size - 1]";
  CHECK(refusal(ending_in(Activation::linear), Forgets{}, {0, 1}) ==
        "loss forgets: wrote 0 of the 1" + text);
  CHECK(refusal(ending_in(Activation::linear, 3), Forgets{.all = false}, {0, 1, 2, 3, 4, 5}) ==
        "loss forgets: wrote 1 of the 3" + text);
  const std::string broken = refusal(ending_in(Activation::linear), Breaks{}, {0, 1});
  CHECK(broken.starts_with(
      "loss breaks: is finite, but gradient[0] is infinite for a prediction of "));
  CHECK(broken.ends_with(" and a target of 0"));
  auto encoder = ending_in(Activation::linear);
  auto decoder = ending_in(Activation::linear);
  Sequential<> last;
  last.add(LSTM{2});
  EncoderDecoderTrainer trainer{last, decoder, SGD{}, Forgets{}};
  const Tensor<float> x({1, 3, 1}, {.1f, .2f, .3f});
  CHECK(error_text<ValueError>([&] {
          trainer.step(x, x, Tensor<float>({1, 1}, {1}));
        }) == "loss forgets: wrote 0 of the 1" + text);
}

TEST_CASE("Optimizers: no gradient makes their memory infinite", "[settings]") {
  const auto check = [](Optimizer<float> optimizer, double exact) {
    Weights<float> w;
    w.update(optimizer, 1e25);
    w.values.assign(5, 1);
    w.update(optimizer, 0.1);
    // In exact numbers the memory is the large gradient, decayed once.
    for (const float value : w.values) CHECK(value == Approx(1 - exact).epsilon(1e-6));
  };
  check(Adam{}, 0.001 * std::sqrt(1 - 0.999 * 0.999) / (1 - 0.81) * 0.09 / std::sqrt(0.000999));
  check(Adam{.amsgrad = true},
        0.001 * std::sqrt(1 - 0.999 * 0.999) / (1 - 0.81) * 0.09 / std::sqrt(0.001));
  check(RMSprop{}, 0);

  SECTION("nor do gradients that are not finite") {
    Optimizer<float> optimizer = Adam{};
    Weights<float> w;
    CHECK(error_text<ValueError>([&] { w.update(optimizer, infinite); }) ==
          "a gradient is not finite; the weights are kept from before. Try a smaller learning rate "
          "or clip the gradients (.clip = {.global_norm = 1})");
    CHECK(w.values == std::vector<float>(5, 1));
    CHECK(optimizer.iterations() == 0);
  }

  SECTION("an update is taken back with its memory") {
    Optimizer<float> optimizer = SGD{.learning_rate = 1, .momentum = 0.5};
    Weights<float> w;
    w.update(optimizer, 0.25);
    const auto kept = w.values;
    optimizer.set_learning_rate(1e30);
    CHECK_THROWS_AS(w.update(optimizer, 1e30), ValueError);
    CHECK(w.values == kept);
    CHECK(optimizer.iterations() == 1);
    optimizer.set_learning_rate(1);
    w.update(optimizer, 0.25);
    CHECK(w.values[0] == 0.75f - 0.125f - 0.25f);
    optimizer.undo(w.parameters);
    CHECK(w.values == kept);
    CHECK(optimizer.iterations() == 1);
  }
}

TEST_CASE("RMSprop: a centred variance that rounds below zero is zero", "[settings]") {
  std::vector<float> weights(64, 1);
  const std::vector<Parameter<float>> parameters{{"w", {64}, weights}};
  Optimizer<float> optimizer = RMSprop{.rho = 0.5, .centered = true};
  for (int update = 0; update < 60; ++update) {
    std::vector<float> gradient(64);
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = 1000 + 0.37f * float(i);
    optimizer.update(parameters, gradient);
  }
  CHECK(detail::all_finite(std::span<const float>(weights)));
}

TEST_CASE("Clip: norms of numbers of any size", "[settings]") {
  const auto steps = [](auto scalar, double gradient) {
    using Scalar = decltype(scalar);
    Optimizer<Scalar> optimizer = SGD{.learning_rate = 1, .clip = {.global_norm = 1}};
    Weights<Scalar> w;
    w.values.assign(5, 0);
    w.update(optimizer, gradient);
    return -static_cast<double>(w.values[4]);
  };
  CHECK(steps(0.0, 1e200) == Approx(1 / std::sqrt(5.0)));
  CHECK(steps(0.0, 1.7e308) == Approx(1 / std::sqrt(5.0)));
  CHECK(steps(0.0f, 3e38) == Approx(1 / std::sqrt(5.0)));
  CHECK(steps(0.0, 1e-200) == 1e-200);
  std::vector<double> weights(4, 1e200);
  detail::constrain(MaxNorm{2}, Parameter<double>{"w", {4}, weights});
  CHECK(weights[0] == Approx(1));
}
