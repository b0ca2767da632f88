#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include <strata/strata.hpp>

#include "support/catch.hpp"
#include "support/error_text.hpp"
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
  // What a callback adds to the figures is in the history, after them.
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
  REQUIRE(std::ranges::equal(model.weights(), weights[best]));
  REQUIRE_FALSE(std::ranges::equal(model.weights(), weights.back()));
  const double loss = model.evaluate(x.rows(10, 10), y.rows(10, 10)).loss;
  REQUIRE(std::abs(loss - losses[best]) < 1e-6);
}

TEST_CASE("fit: a monitored figure that is not there", "[callbacks]") {
  const auto data = sines<float>(10);
  const auto& x = data.x;
  const auto& y = data.y;
  auto model = falling();
  REQUIRE(error_text<ValueError>([&] {
            model.fit(x, y, {.callbacks = {EarlyStopping{}}, .verbose = 0});
          }) == "there is no figure named val_loss; there are: loss mae");
  model.fit(x, y, {.callbacks = {EarlyStopping{.monitor = "mae"}}, .verbose = 0});
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
  REQUIRE(std::ranges::equal(before, first));
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
