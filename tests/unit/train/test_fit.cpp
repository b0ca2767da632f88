#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/series.hpp"
#include "support/values_of.hpp"

// fit, evaluate and their relatives: which samples, in which order, with which weight.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

Sequential<> untrained(double dropout = 0) {
  Sequential<> model;
  model.add(Input{6, 1});
  model.add(LSTM{5, {.dropout = dropout}});
  if (dropout > 0) model.add(Dropout{dropout});
  model.add(Dense{1});
  return model;
}

Sequential<> compiled(Optimizer<float> optimizer = Adam{.learning_rate = 0.01},
                      double dropout = 0) {
  auto model = untrained(dropout);
  model.compile(std::move(optimizer), MeanSquaredError{}, {MeanAbsoluteError{}});
  return model;
}

using Options = FitOptions<float>;

/// The weights after a training, which is silent.
std::vector<float> trained(Options options, double dropout = 0) {
  const auto data = sines<float>(20);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled(Adam{.learning_rate = 0.01}, dropout);
  options.verbose = 0;
  model.fit(x, y, options);
  return model.weights();
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b)); }

}  // namespace

TEST_CASE("fit: the loss falls", "[fit]") {
  const auto data = sines<float>(64);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  const double before = model.evaluate(x, y).loss;
  const History history = model.fit(x, y, {.epochs = 30, .batch_size = 16, .verbose = 0});
  REQUIRE(history.epochs() == 30);
  REQUIRE(history.names() == std::vector<std::string>{"loss", "mae"});
  REQUIRE(history["loss"].size() == 30);
  REQUIRE(history["loss"].back() < 0.1 * before);
  REQUIRE(model.evaluate(x, y).loss < 0.1 * before);
}

TEST_CASE("fit: the same seed gives the same bits, another seed others", "[fit]") {
  const auto first = trained({.epochs = 2, .batch_size = 4});
  REQUIRE(trained({.epochs = 2, .batch_size = 4}) == first);
  REQUIRE(trained({.epochs = 2, .batch_size = 4, .seed = 1}) != first);
  REQUIRE(trained({.epochs = 2, .batch_size = 4, .shuffle = false}) != first);
  SECTION("the seed does nothing where nothing is drawn") {
    const auto ordered = trained({.batch_size = 4, .shuffle = false});
    REQUIRE(trained({.batch_size = 4, .shuffle = false, .seed = 1}) == ordered);
  }
  SECTION("dropout is drawn from the seed") {
    const auto dropped = trained({.batch_size = 4, .shuffle = false}, 0.5);
    REQUIRE(trained({.batch_size = 4, .shuffle = false}, 0.5) == dropped);
    REQUIRE(trained({.batch_size = 4, .shuffle = false, .seed = 1}, 0.5) != dropped);
  }
}

TEST_CASE("fit: batches in order, the last one smaller, each weighted by its samples", "[fit]") {
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  auto by_hand = model;
  const History history = model.fit(x, y, {.batch_size = 4, .shuffle = false, .verbose = 0});
  double loss = 0;
  double mae = 0;
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 4}, {4, 4}, {8, 2}}) {
    const Evaluation batch = by_hand.train_on_batch(x.rows(first, count), y.rows(first, count));
    loss += batch.loss * static_cast<double>(count) / 10;
    mae += batch["mae"] * static_cast<double>(count) / 10;
  }
  REQUIRE(model.weights() == by_hand.weights());
  REQUIRE(near(history["loss"][0], loss));
  REQUIRE(near(history["mae"][0], mae));
}

TEST_CASE("fit: shuffling takes each sample once an epoch", "[fit]") {
  // With a rate of 0 the loss of an epoch is that of all samples, in whatever order and batches.
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled(SGD{.learning_rate = 0});
  const auto before = model.weights();
  const double expected = model.evaluate(x, y).loss;
  const History history = model.fit(x, y, {.epochs = 3, .batch_size = 3, .verbose = 0});
  for (const double loss : history["loss"]) REQUIRE(near(loss, expected));
  REQUIRE(model.weights() == before);
}

TEST_CASE("fit: an order is drawn for every epoch", "[fit]") {
  // The loss of the first batch, at a rate of 0, tells which sample came first.
  struct FirstLoss {
    std::vector<double>* losses;
    void on_batch_end(TrainingRun&, Index batch, const Logs& logs) const {
      if (batch == 0) losses->push_back(logs["loss"]);
    }
  };
  const auto data = sines<float>(30);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled(SGD{.learning_rate = 0});
  const auto first_losses = [&](bool shuffle) {
    std::vector<double> losses;
    model.fit(x, y,
              {.epochs = 8,
               .batch_size = 1,
               .shuffle = shuffle,
               .callbacks = {FirstLoss{&losses}},
               .verbose = 0});
    std::sort(losses.begin(), losses.end());
    return std::unique(losses.begin(), losses.end()) - losses.begin();
  };
  REQUIRE(first_losses(true) > 4);
  REQUIRE(first_losses(false) == 1);
}

TEST_CASE("fit: validation_split keeps the last samples, before shuffling", "[fit]") {
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  SECTION("their figures are those of evaluate") {
    auto model = compiled(SGD{.learning_rate = 0});
    const History history = model.fit(x, y, {.validation_split = 0.2, .verbose = 0});
    REQUIRE(history.names() == std::vector<std::string>{"loss", "mae", "val_loss", "val_mae"});
    REQUIRE(near(history["loss"][0], model.evaluate(x.rows(0, 8), y.rows(0, 8)).loss));
    const Evaluation last = model.evaluate(x.rows(8, 2), y.rows(8, 2));
    REQUIRE(near(history["val_loss"][0], last.loss));
    REQUIRE(near(history["val_mae"][0], last["mae"]));
  }
  SECTION("the number for training is rounded down, as in Keras") {
    auto model = compiled(SGD{.learning_rate = 0});
    const History history = model.fit(x, y, {.validation_split = 0.33, .verbose = 0});
    REQUIRE(near(history["val_loss"][0], model.evaluate(x.rows(6, 4), y.rows(6, 4)).loss));
  }
  SECTION("they are not trained on, and not changed by the batch size") {
    const Tensor<float> x_first = x.rows(0, 8);
    const Tensor<float> y_first = y.rows(0, 8);
    auto split = compiled();
    auto given = compiled();
    const History a =
        split.fit(x, y, {.epochs = 3, .batch_size = 3, .validation_split = 0.2, .verbose = 0});
    const History b = given.fit(x_first, y_first,
                                {.epochs = 3,
                                 .batch_size = 3,
                                 .validation_data = {{x.rows(8, 2), y.rows(8, 2)}},
                                 .verbose = 0});
    REQUIRE(split.weights() == given.weights());
    REQUIRE(a["loss"] == b["loss"]);
    REQUIRE(a["val_loss"] == b["val_loss"]);
    REQUIRE(near(a["val_loss"].back(), split.evaluate(x.rows(8, 2), y.rows(8, 2)).loss));
  }
  SECTION("validation_data goes before it") {
    auto model = compiled(SGD{.learning_rate = 0});
    const History history = model.fit(
        x, y,
        {.validation_split = 0.5, .validation_data = {{x.rows(0, 3), y.rows(0, 3)}}, .verbose = 0});
    REQUIRE(near(history["loss"][0], model.evaluate(x, y).loss));
    REQUIRE(near(history["val_loss"][0], model.evaluate(x.rows(0, 3), y.rows(0, 3)).loss));
  }
}

TEST_CASE("fit: initial_epoch goes on with an earlier training, bit for bit", "[fit]") {
  const auto data = sines<float>(12);
  const auto& x = data.x;
  const auto& y = data.y;
  for (const double dropout : {0.0, 0.3}) {
    auto whole = compiled(Adam{.learning_rate = 0.01}, dropout);
    auto parts = whole;
    const History all = whole.fit(x, y, {.epochs = 5, .batch_size = 5, .verbose = 0});
    parts.fit(x, y, {.epochs = 2, .batch_size = 5, .verbose = 0});
    const History rest =
        parts.fit(x, y, {.epochs = 5, .batch_size = 5, .verbose = 0, .initial_epoch = 2});
    REQUIRE(rest.epochs() == 3);
    REQUIRE(parts.weights() == whole.weights());
    REQUIRE(std::equal(rest["loss"].begin(), rest["loss"].end(), all["loss"].begin() + 2));
  }
}

TEST_CASE("fit: epochs one by one have the order and the dropout of epochs at once", "[fit]") {
  const auto data = sines<float>(12);
  const auto& x = data.x;
  const auto& y = data.y;
  auto whole = compiled(Adam{.learning_rate = 0.01}, 0.3);
  auto numbered = whole;
  auto single = whole;
  whole.fit(x, y, {.epochs = 2, .batch_size = 5, .verbose = 0});
  single.fit(x, y, {.batch_size = 5, .verbose = 0});
  numbered.fit(x, y, {.batch_size = 5, .verbose = 0});
  numbered.fit(x, y, {.epochs = 2, .batch_size = 5, .verbose = 0, .initial_epoch = 1});
  auto copy = single;
  single.fit(x, y, {.batch_size = 5, .verbose = 0});
  REQUIRE(single.weights() == whole.weights());
  REQUIRE(numbered.weights() == whole.weights());
  // A copy goes on from where the model was.
  copy.fit(x, y, {.batch_size = 5, .verbose = 0});
  REQUIRE(copy.weights() == whole.weights());
  SECTION("initial_epoch says where the next trainings are, too") {
    auto far = compiled(SGD{.learning_rate = 0}, 0.3);
    const double third =
        far.fit(x, y, {.epochs = 3, .verbose = 0, .initial_epoch = 2})["loss"].back();
    const double fourth = far.fit(x, y, {.verbose = 0})["loss"].back();
    auto near = compiled(SGD{.learning_rate = 0}, 0.3);
    const std::vector<double> losses = near.fit(x, y, {.epochs = 4, .verbose = 0})["loss"];
    REQUIRE(third == losses[2]);
    REQUIRE(fourth == losses[3]);
  }
}

TEST_CASE("fit: an initial_epoch without an epoch to train is refused", "[fit]") {
  const auto data = sines<float>(4);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  const auto refusal = [&](int initial_epoch) {
    return error_text<ValueError>(
        [&] { model.fit(x, y, {.epochs = 3, .verbose = 0, .initial_epoch = initial_epoch}); });
  };
  const std::string text =
      "fit: initial_epoch must be at least 0 and below epochs, which is 3; found ";
  REQUIRE(refusal(3) == text + "3");
  REQUIRE(refusal(-1) == text + "-1");
}

TEST_CASE("fit: the loss of windows of unequal length is that of all steps", "[fit]") {
  const auto data = sines<float>(6, 8);
  Sequential<> model;
  model.add(LSTM{3, return_sequences});
  model.add(Dense{1});
  model.compile(SGD{.learning_rate = 0}, MeanSquaredError{}, {MeanSquaredError{}});
  const auto check = [&](const Mask& mask) {
    const History history =
        model.fit(data.x, data.x,
                  {.batch_size = 4, .shuffle = false, .mask = mask, .truncate = 7, .verbose = 0});
    const Evaluation expected = model.evaluate(data.x, data.x, {.batch_size = 4, .mask = mask});
    CHECK(near(history["loss"][0], expected.loss));
    CHECK(near(history["mse"][0], expected["mse"]));
    CHECK((mask.empty() ? near(expected.loss, expected["mse"]) : true));
  };
  check({});
  // The second window of some sequences has no step that counts.
  check(Mask::from_lengths(std::vector<Index>{8, 1, 8, 7, 3, 2}, 8));
}

TEST_CASE("fit: builds a model from the first data", "[fit]") {
  const auto data = sines<float>(4);
  const auto& x = data.x;
  const auto& y = data.y;
  Sequential<> model;
  model.add(LSTM{3});
  model.add(Dense{1});
  model.compile(Adam{}, MeanSquaredError{});
  REQUIRE_FALSE(model.is_built());
  model.fit(x, y, {.shuffle = false, .verbose = 0});
  REQUIRE(model.is_built());
  REQUIRE(model.input()->shape() == Shape{Dynamic, Dynamic, 1});
  Sequential<> other;
  other.add(LSTM{3});
  other.add(Dense{1});
  Trainer trainer{other, Adam{}, MeanSquaredError{}};
  trainer.step(x, y);
  REQUIRE(other.weights() == model.weights());
}

TEST_CASE("evaluate: means over the samples, for any batch size", "[fit]") {
  const auto data = sines<float>(11);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  model.compile(SGD{}, MeanSquaredError{}, {MeanAbsoluteError{}, RootMeanSquaredError{}});
  const Tensor<float> prediction = model.predict(x);
  double squares = 0;
  double distances = 0;
  for (Index b = 0; b < 11; ++b) {
    const double error = prediction(b, 0) - y(b, 0);
    squares += error * error / 11;
    distances += std::abs(error) / 11;
  }
  for (const Index batch_size : {1, 3, 10, 11, 32}) {
    const Evaluation all = model.evaluate(x, y, {.batch_size = batch_size});
    REQUIRE(near(all.loss, squares));
    REQUIRE(near(all["loss"], squares));
    REQUIRE(near(all["mae"], distances));
    // The root of the mean, not the mean of the batches' roots.
    REQUIRE(near(all["root_mean_squared_error"], std::sqrt(squares)));
  }
  REQUIRE(near(model.test_on_batch(x, y).loss, squares));
  REQUIRE(error_text<ValueError>([&] { (void)model.evaluate(x, y)["accuracy"]; }) ==
          "there is no figure named accuracy; there are: mae root_mean_squared_error");
}

TEST_CASE("predict: the batch size changes no more than the order of sums", "[fit]") {
  const Tensor<float> x = sines<float>(11).x;
  const auto model = untrained();
  const Tensor<float> whole = model.predict(x);
  for (const Index batch_size : {1, 4, 11}) {
    const Tensor<float> parts = model.predict(x, {.batch_size = batch_size});
    REQUIRE(parts.shape() == whole.shape());
    REQUIRE((parts.matrix() - whole.matrix()).cwiseAbs().maxCoeff() < 1e-6f);
  }
}

TEST_CASE("train_on_batch: figures before the update, then one update", "[fit]") {
  const auto data = sines<float>(8);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  const Evaluation before = model.test_on_batch(x, y);
  const auto weights = model.weights();
  const Evaluation told = model.train_on_batch(x, y);
  REQUIRE(near(told.loss, before.loss));
  REQUIRE(near(told["mae"], before["mae"]));
  REQUIRE(model.weights() != weights);
  REQUIRE(model.test_on_batch(x, y).loss < before.loss);
}

TEST_CASE("Trainer: its steps are those of train_on_batch", "[fit]") {
  const auto data = sines<float>(8);
  const auto& x = data.x;
  const auto& y = data.y;
  for (const double dropout : {0.0, 0.4}) {
    auto model = compiled(Adam{.learning_rate = 0.02}, dropout);
    auto by_hand = untrained(dropout);
    Trainer trainer{by_hand, Adam{.learning_rate = 0.02}, MeanSquaredError{}};
    for (int step = 0; step < 3; ++step) {
      const double loss = trainer.step(x, y);
      REQUIRE(loss == model.train_on_batch(x, y).loss);
    }
    REQUIRE(by_hand.weights() == model.weights());
    REQUIRE(trainer.optimizer().iterations() == 3);
  }
  SECTION("the learning rate may change between steps") {
    auto model = untrained();
    Trainer trainer{model, SGD{}, MeanSquaredError{}};
    trainer.optimizer().set_learning_rate(0);
    const auto before = model.weights();
    trainer.step(x, y);
    REQUIRE(model.weights() == before);
  }
  SECTION("its seed draws the dropout") {
    auto a = untrained(0.4);
    auto b = a;
    auto c = a;
    const auto loss = [&](Sequential<>& model, std::uint64_t seed) {
      Trainer trainer{model, SGD{}, MeanSquaredError{}};
      trainer.seed(seed);
      return trainer.step(x, y);
    };
    const double first = loss(a, 1);
    REQUIRE(loss(b, 1) == first);
    REQUIRE(loss(c, 2) != first);
  }
}

TEST_CASE("Dropout: in training only", "[fit]") {
  const auto data = sines<float>(16);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled(SGD{.learning_rate = 0}, 0.5);
  const auto once = model.predict(x);
  REQUIRE(test::equal(test::values_of(model.predict(x)), once.values()));
  const double loss = model.evaluate(x, y).loss;
  REQUIRE(model.evaluate(x, y).loss == loss);
  // Without the Dropout layer and option, the same predictions.
  auto bare = untrained();
  bare.set_weights(model.weights());
  REQUIRE(test::equal(test::values_of(bare.predict(x)), once.values()));

  const History history = model.fit(x, y, {.epochs = 3, .validation_split = 0, .verbose = 0});
  REQUIRE(std::abs(history["loss"][0] - loss) > 1e-3);
  // Drawn anew for every epoch.
  REQUIRE(history["loss"][0] != history["loss"][1]);
  // Another training goes on with other numbers; the same training has the same.
  const History again = model.fit(x, y, {.epochs = 3, .verbose = 0});
  REQUIRE(again["loss"][0] != history["loss"][0]);
  model.compile(SGD{.learning_rate = 0}, MeanSquaredError{}, {MeanAbsoluteError{}});
  const History anew = model.fit(x, y, {.epochs = 3, .verbose = 0});
  REQUIRE(anew["loss"] == history["loss"]);
}

TEST_CASE("fit: copies of a compiled model train equally and independently", "[fit]") {
  const auto data = sines<float>(12);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  model.fit(x, y, {.epochs = 2, .verbose = 0});
  auto copy = model;
  REQUIRE(copy.weights() == model.weights());
  const auto kept = copy.weights();
  model.fit(x, y, {.epochs = 2, .verbose = 0});
  REQUIRE(copy.weights() == kept);
  // The optimizer's memory is copied too.
  copy.fit(x, y, {.epochs = 2, .verbose = 0});
  REQUIRE(copy.weights() == model.weights());
}

TEST_CASE("compile: the optimizer starts anew", "[fit]") {
  const auto data = sines<float>(12);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  const auto start = model.weights();
  model.fit(x, y, {.epochs = 2, .verbose = 0});
  const auto first = model.weights();
  model.set_weights(start);
  model.compile(Adam{.learning_rate = 0.01}, MeanSquaredError{}, {MeanAbsoluteError{}});
  model.fit(x, y, {.epochs = 2, .verbose = 0});
  REQUIRE(model.weights() == first);
}

TEST_CASE("fit: views of the user's memory are data as well", "[fit]") {
  const auto data = sines<float>(12);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = compiled();
  auto other = model;
  model.fit(x, y, {.epochs = 2, .verbose = 0});
  other.fit(Tensor<float>::view(x.data(), x.shape()), Tensor<float>::view(y.data(), y.shape()),
            {.epochs = 2, .verbose = 0});
  REQUIRE(other.weights() == model.weights());
}
