#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <strata/train/callbacks.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"

// Callbacks are told the figures of a training that does not take place. The expected results of
// EarlyStopping and ReduceLROnPlateau are the results of Keras 3.15.1 for the same figures.

namespace {

using namespace strata;
using strata::test::error_text;

/// A training of which only figures happen. Its weights are the number of the epoch.
class Played final : public TrainingRun {
 public:
  explicit Played(int epochs, double rate = 1) : TrainingRun(epochs, 1), rate_(rate) {}

  double learning_rate() const override { return rate_; }
  void set_learning_rate(double rate) override { rate_ = rate; }
  std::vector<double> weights() const override { return {static_cast<double>(epoch_)}; }
  void set_weights(const std::vector<double>& weights) override { restored_ = weights[0]; }
  std::vector<Figure> figures() const override {
    return {{"val_loss", Mode::min}, {"val_accuracy", Mode::max}, {"val_f1"}};
  }
  void warn(const std::string& text) override { warning_ = text; }

  /// The values of all figures, epoch after epoch; the rates after each.
  std::vector<double> play(Callback callback, const std::vector<double>& figures) {
    std::vector<double> rates;
    callback.on_train_begin(*this);
    for (epoch_ = 0; epoch_ < static_cast<int>(figures.size()) && !stopped(); ++epoch_) {
      callback.on_epoch_begin(*this, epoch_);
      rate_in_epoch_.push_back(rate_);
      logs_ = {};
      for (const Figure& figure : this->figures()) {
        logs_.set(figure.name, figures[static_cast<std::size_t>(epoch_)]);
      }
      callback.on_epoch_end(*this, epoch_, logs_);
      rates.push_back(rate_);
    }
    callback.on_train_end(*this);
    return rates;
  }

  [[nodiscard]] int last_epoch() const { return epoch_ - 1; }
  [[nodiscard]] double restored() const { return restored_; }
  [[nodiscard]] const Logs& logs() const { return logs_; }
  [[nodiscard]] const std::string& warning() const { return warning_; }
  [[nodiscard]] const std::vector<double>& rate_in_epoch() const { return rate_in_epoch_; }

 private:
  double rate_;
  double restored_ = -1;
  int epoch_ = 0;
  Logs logs_;
  std::string warning_;
  std::vector<double> rate_in_epoch_;
};

const double no_figure = std::numeric_limits<double>::quiet_NaN();

/// The message with which a callback refuses its options.
std::string refusal_of(const Callback& callback) {
  return error_text<ValueError>([&] { Played(3).play(callback, {1}); });
}

bool close(const std::vector<double>& found, const std::vector<double>& expected) {
  bool same = found.size() == expected.size();
  for (std::size_t i = 0; same && i < found.size(); ++i) {
    same = std::abs(found[i] - expected[i]) <= 1e-12 * expected[i];
  }
  return same;
}

}  // namespace

TEST_CASE("EarlyStopping: as Keras", "[callbacks]") {
  struct Case {
    std::vector<double> figures;
    EarlyStopping callback;
    int last_epoch;
    bool stopped;
    double restored;
  };
  const std::vector<Case> cases{
      {{1, .5, .6, .7, .8}, {.patience = 2}, 3, true, 1},
      {{1, .5, .6, .4, .5, .6, .7}, {.patience = 2}, 5, true, 3},
      {{1, 1, 1}, {.patience = 0}, 1, true, 0},
      {{1, .9, .8}, {.patience = 0}, 2, false, 2},
      {{1, .95, .9, .85, .8}, {.min_delta = .1, .patience = 2}, 2, true, 0},
      {{.5, .6, .6, .5}, {.monitor = "val_accuracy", .patience = 2}, 3, true, 1},
      {{3, 2, 1}, {.patience = 5}, 2, false, 2},
      {{.5, .6, .6, .5}, {.monitor = "val_f1", .mode = Mode::max, .patience = 2}, 3, true, 1},
      {{.5, .6, .6}, {.monitor = "val_f1", .mode = Mode::min, .patience = 2}, 2, true, 0},
      // The user's word goes before the figure's own.
      {{1, 2, 1, 1}, {.monitor = "val_loss", .mode = Mode::max, .patience = 2}, 3, true, 1},
      // A figure that is not a number is never better, not even in the first epoch.
      {{no_figure, 3, no_figure, 2, 2}, {.patience = 2}, 4, false, 3},
      {{3, no_figure, no_figure}, {.patience = 2}, 2, true, 0},
      {{no_figure, no_figure, 1}, {.patience = 2}, 1, true, -1},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO("case " << i);
    Played run(100);
    run.play(cases[i].callback, cases[i].figures);
    CHECK(run.last_epoch() == cases[i].last_epoch);
    CHECK(run.stopped() == cases[i].stopped);
    CHECK(run.restored() == cases[i].restored);
  }
}

TEST_CASE("EarlyStopping: without restoring, and used again", "[callbacks]") {
  Played run(100);
  run.play(EarlyStopping{.patience = 1, .restore_best_weights = false}, {1, 2, 3});
  REQUIRE(run.stopped());
  REQUIRE(run.restored() == -1);

  const Callback twice = EarlyStopping{.patience = 2};
  Played first(100);
  first.play(twice, {1, 2, 3, 4});
  REQUIRE(first.last_epoch() == 2);
  // The second training remembers nothing of the first.
  Played second(100);
  second.play(twice, {5, 4, 6, 7});
  REQUIRE(second.last_epoch() == 3);
  REQUIRE(second.restored() == 1);
}

TEST_CASE("EarlyStopping: without a best epoch the last weights stay, with a warning",
          "[callbacks]") {
  Played run(100);
  run.play(EarlyStopping{.patience = 9}, {no_figure, no_figure});
  REQUIRE(run.restored() == -1);
  REQUIRE(run.warning() ==
          "EarlyStopping: val_loss was not a number in any epoch, so none is the best; the last "
          "weights stay");
}

TEST_CASE("Monitors: a figure that is not there, or of which nobody knows what is better",
          "[callbacks]") {
  const std::string missing =
      ": there is no figure named val_mae; there are: val_loss val_accuracy val_f1; a callback "
      "that adds a figure names it in figures() and comes before";
  REQUIRE(refusal_of(EarlyStopping{.monitor = "val_mae"}) == "EarlyStopping" + missing);
  REQUIRE(refusal_of(ReduceLROnPlateau{.monitor = "val_mae"}) == "ReduceLROnPlateau" + missing);
  const std::string unknown =
      ": whether val_f1 gets better by growing or by shrinking is not known; set .mode = "
      "Mode::max or .mode = Mode::min, or let the metric say it (static constexpr Mode mode)";
  REQUIRE(refusal_of(EarlyStopping{.monitor = "val_f1"}) == "EarlyStopping" + unknown);
  REQUIRE(refusal_of(ReduceLROnPlateau{.monitor = "val_f1"}) == "ReduceLROnPlateau" + unknown);
}

TEST_CASE("Callbacks: options out of range are refused before the training", "[callbacks]") {
  CHECK(refusal_of(EarlyStopping{.patience = -1}) ==
        "EarlyStopping: patience must be at least 0, found -1");
  CHECK(refusal_of(EarlyStopping{.min_delta = -0.5}) ==
        "EarlyStopping: min_delta must be at least 0 and finite, found -0.5");
  CHECK(refusal_of(EarlyStopping{.min_delta = no_figure}) ==
        "EarlyStopping: min_delta must be at least 0 and finite, found nan");
  CHECK(refusal_of(ReduceLROnPlateau{.factor = no_figure}) ==
        "ReduceLROnPlateau: factor must be in [0, 1), found nan");
  CHECK(refusal_of(ReduceLROnPlateau{.factor = 1}) ==
        "ReduceLROnPlateau: factor must be in [0, 1), found 1");
  CHECK(refusal_of(ReduceLROnPlateau{.patience = -2}) ==
        "ReduceLROnPlateau: patience must be at least 0, found -2");
  CHECK(refusal_of(ReduceLROnPlateau{.min_delta = -1}) ==
        "ReduceLROnPlateau: min_delta must be at least 0 and finite, found -1");
  CHECK(refusal_of(ReduceLROnPlateau{.cooldown = -1}) ==
        "ReduceLROnPlateau: cooldown must be at least 0, found -1");
  CHECK(refusal_of(ReduceLROnPlateau{.min_lr = -1}) ==
        "ReduceLROnPlateau: min_lr must be at least 0 and finite, found -1");
  CHECK(refusal_of(StepDecay{.every = 0}) == "StepDecay: every must be at least 1, found 0");
  CHECK(refusal_of(StepDecay{.factor = -1}) ==
        "StepDecay: factor must be at least 0 and finite, found -1");
  CHECK(refusal_of(StepDecay{.factor = no_figure}) ==
        "StepDecay: factor must be at least 0 and finite, found nan");
  CHECK(refusal_of(ExponentialDecay{.rate = -0.1}) ==
        "ExponentialDecay: rate must be at least 0 and finite, found -0.1");
  CHECK(refusal_of(ExponentialDecay{.rate = no_figure}) ==
        "ExponentialDecay: rate must be at least 0 and finite, found nan");
  CHECK(refusal_of(ExponentialDecay{.rate = 1e200}) ==
        "ExponentialDecay: the rate of the last epoch must be at least 0 and finite, found inf");
  CHECK(refusal_of(CosineDecay{.epochs = -1}) ==
        "CosineDecay: epochs must be at least 0, found -1");
  CHECK(refusal_of(CosineDecay{.minimum = 1.5}) ==
        "CosineDecay: minimum must be in [0, 1], found 1.5");
  CHECK(refusal_of(CosineDecay{.minimum = no_figure}) ==
        "CosineDecay: minimum must be in [0, 1], found nan");
  CHECK(refusal_of(LearningRateScheduler{}) == "LearningRateScheduler: the schedule is empty");
}

TEST_CASE("ReduceLROnPlateau: as Keras", "[callbacks]") {
  const std::vector<double> figures{1, .9, .9, .9, .9, .9, .9, .8, .8, .8, .8, .8};
  const auto rates = [](const ReduceLROnPlateau& callback, const std::vector<double>& values) {
    return Played(100).play(callback, values);
  };
  REQUIRE(close(rates({.factor = 0.5, .patience = 2}, figures),
                {1, 1, 1, .5, .5, .25, .25, .25, .25, .125, .125, .0625}));
  REQUIRE(close(rates({.factor = 0.5, .patience = 2, .cooldown = 2}, figures),
                {1, 1, 1, .5, .5, .5, .25, .25, .25, .125, .125, .125}));
  // Getting better by less than min_delta at a time, 1e-4, adds up.
  REQUIRE(close(rates({.patience = 3}, {1, .99995, .9999, .99985, .9998, .5, .5, .5}),
                {1, 1, 1, 1, 1, 1, 1, 1}));
  REQUIRE(close(rates({.patience = 1, .min_lr = 0.02}, {1, 1, 1, 1, 1, 1}),
                {1, .1, .02, .02, .02, .02}));
  // A rate below min_lr is not raised.
  REQUIRE(close(rates({.patience = 1, .min_lr = 5}, {1, 1, 1, 1}), {1, 1, 1, 1}));
  REQUIRE(close(
      rates({.monitor = "val_accuracy", .factor = 0.5, .patience = 2}, {.5, .6, .6, .6, .7, .6}),
      {1, 1, 1, .5, .5, .5}));
  Played run(100);
  run.play(ReduceLROnPlateau{.patience = 1}, {1, 1});
  REQUIRE(run.logs()["learning_rate"] == 1);
  // A figure that is not a number is never better.
  REQUIRE(close(rates({.patience = 2}, {no_figure, no_figure, no_figure, no_figure}),
                {1, .1, .1, .01}));
  REQUIRE(close(rates({.monitor = "val_f1", .mode = Mode::max, .factor = 0.5, .patience = 2},
                      {.5, .6, .6, .6, .7, .6}),
                {1, 1, 1, .5, .5, .5}));
}

TEST_CASE("LearningRateScheduler: schedule(epoch, rate so far)", "[callbacks]") {
  Played run(100, 0.5);
  run.play(
      LearningRateScheduler{[](int epoch, double rate) { return epoch < 2 ? rate : rate / 2; }},
      {1, 1, 1, 1});
  REQUIRE(close(run.rate_in_epoch(), {.5, .5, .25, .125}));
  REQUIRE(run.logs()["learning_rate"] == 0.125);
}

TEST_CASE("StepDecay: a factor every so many epochs", "[callbacks]") {
  Played run(100, 0.8);
  run.play(StepDecay{.factor = 0.5, .every = 2}, {1, 1, 1, 1, 1});
  REQUIRE(close(run.rate_in_epoch(), {.8, .8, .4, .4, .2}));
  REQUIRE(run.logs()["learning_rate"] == run.learning_rate());
}

TEST_CASE("ExponentialDecay: a factor every epoch", "[callbacks]") {
  Played run(100, 2);
  run.play(ExponentialDecay{.rate = 0.9}, {1, 1, 1, 1});
  REQUIRE(close(run.rate_in_epoch(), {2, 1.8, 1.62, 1.458}));
  REQUIRE(run.logs()["learning_rate"] == run.learning_rate());
}

TEST_CASE("CosineDecay: half a cosine", "[callbacks]") {
  const double third = 0.5 * (1 + std::cos(3.14159265358979 / 3));
  SECTION("over the whole training") {
    Played run(3, 2);
    run.play(CosineDecay{}, {1, 1, 1});
    REQUIRE(close(run.rate_in_epoch(), {2, 2 * third, 2 * (1 - third)}));
    REQUIRE(run.logs()["learning_rate"] == run.learning_rate());
  }
  SECTION("over some epochs, down to a share of the first rate") {
    Played run(100, 2);
    run.play(CosineDecay{.epochs = 2, .minimum = 0.1}, {1, 1, 1, 1});
    REQUIRE(close(run.rate_in_epoch(), {2, 1.1, .2, .2}));
  }
}

TEST_CASE("Logs: figures in the order in which they were told", "[callbacks]") {
  Logs logs;
  logs.set("loss", 1);
  logs.set("mae", 2);
  logs.set("loss", 3);
  REQUIRE(logs.size() == 2);
  REQUIRE(logs.begin()->first == "loss");
  REQUIRE(logs["loss"] == 3);
  REQUIRE(logs.find("mse") == nullptr);
  REQUIRE(error_text<ValueError>([&] { (void)logs["mse"]; }) ==
          "there is no figure named mse; there are: loss mae");
}

TEST_CASE("History: figures of all epochs", "[callbacks]") {
  History history;
  REQUIRE(history.epochs() == 0);
  Logs logs;
  logs.set("loss", 1);
  logs.set("val_loss", 2);
  history.append(logs);
  logs.set("loss", 0.5);
  history.append(logs);
  REQUIRE(history.epochs() == 2);
  REQUIRE(history.names() == std::vector<std::string>{"loss", "val_loss"});
  REQUIRE(history["loss"] == std::vector<double>{1, 0.5});
  REQUIRE(history["val_loss"] == std::vector<double>{2, 2});
  REQUIRE(error_text<ValueError>([&] { (void)history["mae"]; }) ==
          "the history has no figure named mae; it has: loss val_loss");
}
