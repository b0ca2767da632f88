#include <algorithm>
#include <cmath>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
#include "support/ranges.hpp"
#include "support/series.hpp"

// Callbacks within fit: when they are called, and what they can do.

namespace {

using namespace strata;
using strata::test::error_text;
using strata::test::sines;

Sequential<> falling(double rate = 0.01) {
  Sequential<> model;
  model.add(Input{6, 1});
  model.add(LSTM{3});
  model.add(Dense{1});
  model.compile(Adam{.learning_rate = rate}, MeanSquaredError{}, {MeanAbsoluteError{}});
  return model;
}

std::string numbers(const Logs& logs) {
  std::string text;
  for (const auto& [name, value] : logs) text += " " + name;
  return text;
}

/// Writes down every call.
struct Diary {
  std::vector<std::string>* lines;

  void on_train_begin(TrainingRun& run) const {
    lines->push_back("begin of " + std::to_string(run.epochs()) + " epochs of " +
                     std::to_string(run.batches()) + " batches");
  }
  void on_epoch_begin(TrainingRun&, int epoch) const {
    lines->push_back("epoch " + std::to_string(epoch));
  }
  void on_batch_end(TrainingRun&, Index batch, const Logs& logs) const {
    lines->push_back("batch " + std::to_string(batch) + numbers(logs));
  }
  void on_epoch_end(TrainingRun&, int epoch, Logs& logs) const {
    lines->push_back("end of " + std::to_string(epoch) + numbers(logs));
    logs.set("diary", epoch);
  }
  void on_train_end(TrainingRun&) const { lines->push_back("end"); }
};

}  // namespace

TEST_CASE("fit: calls callbacks in order", "[callbacks]") {
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling();
  std::vector<std::string> lines;
  const History history = model.fit(x, y,
                                    {.epochs = 4,
                                     .batch_size = 4,
                                     .validation_split = 0.4,
                                     .callbacks = {Diary{&lines}},
                                     .verbose = 0,
                                     .initial_epoch = 2});
  const std::string end = " loss mae val_loss val_mae";
  REQUIRE(lines == std::vector<std::string>{"begin of 4 epochs of 2 batches", "epoch 2",
                                            "batch 0 loss mae", "batch 1 loss mae",
                                            "end of 2" + end, "epoch 3", "batch 0 loss mae",
                                            "batch 1 loss mae", "end of 3" + end, "end"});
  // Figures that a callback adds stand in the history behind the others.
  REQUIRE(history.names() ==
          std::vector<std::string>{"loss", "mae", "val_loss", "val_mae", "diary"});
  REQUIRE(history["diary"] == std::vector<double>{2, 3});
}

TEST_CASE("fit: a callback may stop it", "[callbacks]") {
  struct StopAfter {
    int epoch;
    void on_epoch_end(TrainingRun& run, int now, Logs&) const {
      if (now == epoch) run.stop();
    }
  };
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling();
  const auto fit = [&] {
    return model.fit(x, y, {.epochs = 9, .callbacks = {StopAfter{2}}, .verbose = 0}).epochs();
  };
  REQUIRE(fit() == 3);
  // The next training is not stopped by the last one.
  REQUIRE(fit() == 3);
}

TEST_CASE("fit: early stopping brings the best weights back", "[callbacks]") {
  struct Keep {
    std::vector<std::vector<double>>* weights;
    void on_epoch_end(TrainingRun& run, int, Logs&) const { weights->push_back(run.weights()); }
  };
  const auto data = sines<float>(20);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling(0.3);
  std::vector<std::vector<double>> weights;
  const History history = model.fit(x, y,
                                    {.epochs = 60,
                                     .validation_split = 0.5,
                                     .callbacks = {EarlyStopping{.patience = 2}, Keep{&weights}},
                                     .verbose = 0});
  REQUIRE(history.epochs() < 60);
  const auto& losses = history["val_loss"];
  const auto best =
      static_cast<std::size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin());
  REQUIRE(best + 3 == losses.size());
  REQUIRE(test::equal(model.weights(), weights[best]));
  REQUIRE_FALSE(test::equal(model.weights(), weights.back()));
  const double loss = model.evaluate(x.rows(10, 10), y.rows(10, 10)).loss;
  REQUIRE(std::abs(loss - losses[best]) < 1e-6);
}

TEST_CASE("fit: a monitored figure that is not there is refused before the training",
          "[callbacks]") {
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling();
  const auto before = model.weights();
  const std::string missing = ": there is no figure named val_loss; there are: loss mae";
  const std::string hint = "; figures of validation need .validation_split or .validation_data";
  const auto refusal = [&](const Callback& callback) {
    return error_text<ValueError>(
        [&] { model.fit(x, y, {.epochs = 2, .callbacks = {callback}, .verbose = 0}); });
  };
  REQUIRE(refusal(EarlyStopping{}) == "EarlyStopping" + missing + hint);
  REQUIRE(refusal(ReduceLROnPlateau{}) == "ReduceLROnPlateau" + missing + hint);
  REQUIRE(model.weights() == before);
  model.fit(x, y, {.callbacks = {EarlyStopping{.monitor = "mae"}}, .verbose = 0});
}

namespace {

/// Adds a figure, which grows to epoch 2 and then shrinks, and names it.
struct Rising {
  Mode mode = Mode::automatic;
  [[nodiscard]] std::vector<Figure> figures() const { return {{"rising", mode}}; }
  void on_epoch_end(TrainingRun&, int epoch, Logs& logs) const {
    logs.set("rising", epoch <= 2 ? epoch : -epoch);
  }
};

/// Metrics of a user: the predictions themselves. One says that it is to grow.
struct Silent {
  static constexpr const char* name = "silent";
  double operator()(const float* prediction, const float*, Index, Index) const {
    return prediction[0];
  }
};
struct Growing : Silent {
  static constexpr const char* name = "growing";
  static constexpr Mode mode = Mode::max;
};

}  // namespace

TEST_CASE("fit: figures of callbacks can be monitored by those after them", "[callbacks]") {
  const auto data = sines<float>(6);
  auto model = falling();
  const auto fit = [&](std::vector<Callback> callbacks) {
    return model.fit(data.x, data.y, {.epochs = 9, .callbacks = std::move(callbacks), .verbose = 0})
        .epochs();
  };
  EarlyStopping stop{.monitor = "rising", .patience = 2};
  REQUIRE(fit({Rising{Mode::max}, stop}) == 5);
  REQUIRE(fit({Rising{Mode::min}, stop}) == 3);
  REQUIRE(
      error_text<ValueError>([&] {
        fit({Rising{}, stop});
      })
          .starts_with(
              "EarlyStopping: whether rising gets better by growing or by shrinking is not known"));
  const std::string missing =
      "EarlyStopping: there is no figure named rising; there are: loss mae; a callback that adds "
      "a figure names it in figures() and comes before";
  REQUIRE(error_text<ValueError>([&] { fit({stop, Rising{Mode::max}}); }) == missing);
  stop.mode = Mode::max;
  REQUIRE(fit({Rising{}, stop}) == 5);
}

TEST_CASE("fit: metrics say which way they get better", "[callbacks]") {
  auto data = sines<float>(6);
  // Targets of an accuracy.
  for (float& value : data.y.values()) value = value > 0 ? 1 : 0;
  Sequential<> model;
  model.add(LSTM{2});
  model.add(Dense{1});
  model.compile(SGD{.learning_rate = 0}, MeanSquaredError{},
                {Silent{}, Growing{}, BinaryAccuracy{}, RootMeanSquaredError{}, Huber{}});
  const auto fit = [&](const std::string& monitor) {
    (void)model.fit(
        data.x, data.y,
        {.validation_split = 0.5, .callbacks = {EarlyStopping{.monitor = monitor}}, .verbose = 0});
  };
  for (const std::string known :
       {"growing", "binary_accuracy", "root_mean_squared_error", "val_huber"}) {
    fit(known);
  }
  REQUIRE(error_text<ValueError>([&] { fit("val_silent"); })
              .starts_with("EarlyStopping: whether val_silent gets better by growing or by "
                           "shrinking is not known"));
  REQUIRE(Metric<float>(Growing{}).mode() == Mode::max);
  REQUIRE(Metric<float>(BinaryAccuracy{}).mode() == Mode::max);
  REQUIRE(Metric<float>(Huber{}).mode() == Mode::min);
}

TEST_CASE("fit: each training has callbacks of its own", "[callbacks]") {
  // Each fit begins with a copy of the callback in the options, whatever earlier copies counted.
  struct Counts {
    std::vector<int>* counts;
    int batches = 0;
    void on_batch_end(TrainingRun&, Index, const Logs&) { ++batches; }
    void on_train_end(TrainingRun&) const { counts->push_back(batches); }
  };
  const auto data = sines<float>(10);
  std::vector<int> counts;
  const FitOptions<float> options{
      .epochs = 2, .batch_size = 5, .callbacks = {Counts{&counts}}, .verbose = 0};
  auto model = falling();
  model.fit(data.x, data.y, options);
  model.fit(data.x, data.y, options);
  REQUIRE(counts == std::vector<int>{4, 4});
  // A training within another one's, with the same options.
  struct Inner {
    const FitOptions<float>* options;
    void on_epoch_end(TrainingRun&, int, Logs&) const {
      const auto few = sines<float>(5);
      auto other = falling();
      other.fit(few.x, few.y, *options);
    }
  };
  model.fit(data.x, data.y,
            {.batch_size = 5, .callbacks = {options.callbacks[0], Inner{&options}}, .verbose = 0});
  REQUIRE(counts == std::vector<int>{4, 4, 2, 2});
}

TEST_CASE("fit: a schedule follows from the epoch and from the rate that was given",
          "[callbacks]") {
  const auto data = sines<float>(4);
  const auto rates = [&](Sequential<>& model, const Callback& callback, int epochs,
                         int initial_epoch = 0) {
    const History history = model.fit(
        data.x, data.y,
        {.epochs = epochs, .callbacks = {callback}, .verbose = 0, .initial_epoch = initial_epoch});
    return history["learning_rate"];
  };
  for (const Callback& schedule :
       {Callback(ExponentialDecay{.rate = 0.8}), Callback(StepDecay{.factor = 0.5, .every = 2}),
        Callback(CosineDecay{.epochs = 6, .minimum = 0.1})}) {
    auto model = falling(0.01);
    auto parts = model;
    const std::vector<double> whole = rates(model, schedule, 4);
    REQUIRE(whole[0] == 0.01);
    const std::vector<double> first = rates(parts, schedule, 2);
    const std::vector<double> second = rates(parts, schedule, 4, 2);
    REQUIRE(std::vector<double>{first[0], first[1], second[0], second[1]} == whole);
    REQUIRE(parts.weights() == model.weights());
    // Once more from the beginning, and at the given rate without a schedule.
    REQUIRE(rates(parts, schedule, 4) == whole);
    REQUIRE(rates(parts, ReduceLROnPlateau{.monitor = "loss"}, 1) == std::vector<double>{0.01});
  }
  SECTION("over all epochs of fit, where CosineDecay is not told how many") {
    auto model = falling(0.01);
    const std::vector<double> whole = rates(model, CosineDecay{}, 4);
    REQUIRE(rates(model, CosineDecay{}, 4, 3) == std::vector<double>{whole[3]});
  }
  SECTION("a rate that was set for the optimizer is the given one") {
    Optimizer<float> optimizer = Adam{};
    optimizer.set_learning_rate(0.5);
    auto model = falling();
    model.compile(optimizer, MeanSquaredError{});
    REQUIRE(rates(model, StepDecay{.factor = 0.5, .every = 1}, 2) == std::vector<double>{.5, .25});
  }
  SECTION("LearningRateScheduler goes on from the rate so far, as in Keras") {
    auto model = falling(0.01);
    const LearningRateScheduler half{[](int, double rate) { return rate / 2; }};
    REQUIRE(rates(model, half, 2) == std::vector<double>{0.005, 0.0025});
    REQUIRE(rates(model, half, 1) == std::vector<double>{0.00125});
  }
}

TEST_CASE("fit: schedules that would overwrite each other are refused", "[callbacks]") {
  const auto data = sines<float>(4);
  auto model = falling(0.01);
  const auto fit = [&](std::vector<Callback> callbacks) {
    return model.fit(data.x, data.y, {.callbacks = std::move(callbacks), .verbose = 0});
  };
  const std::string both =
      " changes the learning rate too, and one would overwrite the other; keep one of them";
  const LearningRateScheduler half{[](int, double rate) { return rate / 2; }};
  const ReduceLROnPlateau plateau{.monitor = "loss"};
  REQUIRE(error_text<ValueError>([&] {
            fit({CosineDecay{}, StepDecay{}});
          }) == "StepDecay: CosineDecay" + both);
  REQUIRE(error_text<ValueError>([&] {
            fit({ExponentialDecay{}, ExponentialDecay{}});
          }) == "ExponentialDecay: ExponentialDecay" + both);
  REQUIRE(error_text<ValueError>([&] {
            fit({plateau, CosineDecay{}});
          }) == "CosineDecay: ReduceLROnPlateau" + both);
  REQUIRE(error_text<ValueError>([&] {
            fit({StepDecay{}, plateau});
          }) == "ReduceLROnPlateau: StepDecay" + both);
  REQUIRE(error_text<ValueError>([&] {
            fit({half, CosineDecay{}});
          }) == "CosineDecay: LearningRateScheduler" + both);
  // A function of the schedule's rate.
  REQUIRE(fit({CosineDecay{}, half})["learning_rate"] == std::vector<double>{0.005});
  fit({half, plateau});
}

TEST_CASE("fit: warnings go to the callbacks that take them, or to std::cerr", "[callbacks]") {
  struct Warns {
    void on_epoch_end(TrainingRun& run, int, Logs&) const { run.warn("look"); }
  };
  struct Takes {
    std::vector<std::string>* texts;
    void on_warning(TrainingRun&, const std::string& text) const { texts->push_back(text); }
  };
  const auto data = sines<float>(4);
  auto model = falling();
  std::vector<std::string> texts;
  std::ostringstream errors;
  std::streambuf* const before = std::cerr.rdbuf(errors.rdbuf());
  model.fit(data.x, data.y, {.epochs = 3, .callbacks = {Warns{}, Takes{&texts}}, .verbose = 0});
  const std::string with = errors.str();
  model.fit(data.x, data.y, {.epochs = 3, .callbacks = {Warns{}}, .verbose = 0});
  std::cerr.rdbuf(before);
  REQUIRE(texts == std::vector<std::string>{"look"});
  REQUIRE(with.empty());
  REQUIRE(errors.str() == "strata: warning: look\n");
}

TEST_CASE("fit: a rate that a callback sets is used", "[callbacks]") {
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling();
  const auto before = model.weights();
  const auto schedule = [](int epoch, double) { return epoch == 0 ? 0.0 : 0.01; };
  std::vector<double> first;
  struct First {
    std::vector<double>* weights;
    void on_epoch_end(TrainingRun& run, int epoch, Logs&) const {
      if (epoch == 0) *weights = run.weights();
    }
  };
  const History history = model.fit(
      x, y,
      {.epochs = 2, .callbacks = {LearningRateScheduler{schedule}, First{&first}}, .verbose = 0});
  REQUIRE(test::equal(before, first));
  REQUIRE(model.weights() != before);
  REQUIRE(history["learning_rate"] == std::vector<double>{0, 0.01});
}

TEST_CASE("fit: an exception of a callback passes through", "[callbacks]") {
  struct Trouble {
    void on_batch_end(TrainingRun&, Index, const Logs&) const { throw std::logic_error("mine"); }
  };
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling();
  REQUIRE_THROWS_AS(model.fit(x, y, {.callbacks = {Trouble{}}, .verbose = 0}), std::logic_error);
  model.fit(x, y, {.verbose = 0});
}
