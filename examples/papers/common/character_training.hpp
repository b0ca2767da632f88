#pragma once

#include <strata/strata.hpp>

#include "characters.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace papers {

/// A callback that lowers the learning rate after each batch, evenly from the optimizer's rate at
/// the first to almost zero at the last: a training of few epochs needs finer steps than one an
/// epoch.
struct FallingRate {
  int epoch = 0;

  void on_train_begin(strata::TrainingRun& run) { run.schedule_learning_rate("FallingRate"); }
  void on_epoch_begin(strata::TrainingRun&, int number) { epoch = number; }
  void on_batch_end(strata::TrainingRun& run, strata::Index batch, const strata::Logs&) const {
    const auto done = static_cast<double>(epoch * run.batches() + batch + 1);
    const auto all = static_cast<double>(run.epochs() * run.batches());
    run.set_learning_rate(run.initial_learning_rate() * (1 - done / (all + 1)));
  }
};

/// A callback that prints what an epoch has reached.
struct BitsReport {
  std::string net;

  void on_epoch_end(strata::TrainingRun&, int epoch, const strata::Logs& logs) const {
    std::printf("%s, epoch %d: %.3f bits, %.3f of the validation part\n", net.c_str(), epoch + 1,
                bits(logs["loss"]), bits(logs["val_loss"]));
    std::fflush(stdout);
  }
};

struct CharacterTraining {
  std::string net;
  int epochs = 1;
  double learning_rate = 0;
  strata::Index streams = 32;  ///< parts of the text that are read side by side
  strata::Index window = 0;    ///< characters between two updates, which derivatives run through
  std::uint64_t seed = 1;
};

/// Trains a model of class numbers to predict the next one, and leaves it with the weights of the
/// best epoch of the validation part. Returns the number of epochs.
template <class Model>
int train(Model& model, const Parts& text, const CharacterTraining& training) {
  using namespace strata;
  const Samples samples = windows(text.train, training.streams, training.window);
  const auto validation_steps = static_cast<Index>(text.validation.size() - 1) / training.streams;
  Samples validation = windows(text.validation, training.streams, validation_steps);
  model.initialize(training.seed);
  model.compile(Adam{.learning_rate = training.learning_rate, .clip = {.global_norm = 1}},
                SparseCategoricalCrossentropy{});
  const History history =
      model.fit(samples.x, samples.y,
                {.epochs = training.epochs,
                 .batch_size = training.streams,
                 .shuffle = false,
                 .seed = training.seed,
                 .validation_data = std::pair{std::move(validation.x), std::move(validation.y)},
                 .stateful = true,
                 .callbacks = {FallingRate{}, BitsReport{training.net},
                               EarlyStopping{.patience = training.epochs}},
                 .verbose = 0});
  return static_cast<int>(history.epochs());
}

}  // namespace papers
