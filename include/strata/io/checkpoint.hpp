#pragma once

#include <string>
#include <string_view>

#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/monitor.hpp>

// A checkpoint of a training in a safetensors file: the model, which load reads like any other
// model, and, in arrays named "training..." and in the metadata, all that fit needs to go on.

namespace strata::inline STRATA_RUNTIME {

/// A callback that saves the training to a file while it runs. After a crash, the same program,
/// started again, resumes from the file and ends with the same weights, bit for bit, as a training
/// that was never interrupted:
///
///   model.fit(x, y, {.epochs = 100, .callbacks = {ModelCheckpoint{.path = "run.safetensors",
///                                                                 .resume = true}}});
///
/// The file is also a model that load reads, and holds the memory of the other callbacks. It is
/// replaced as a whole: a crash while the file is written leaves the file of before. Where the file
/// cannot be written, as on a full disk, the training goes on with a warning, the file of before
/// stays, and the next moment to save tries again.
struct ModelCheckpoint {
  /// The file to write; it has no default. "{epoch}" in the path becomes the number of finished
  /// epochs, so that each epoch has a file of its own.
  std::string path;
  /// Whether fit resumes from the file, if the file is there. false, so that a file of an earlier
  /// experiment is not taken for this one unasked.
  bool resume = false;
  /// Saves at the end of each epoch whose number is a multiple of this; 0: of none. 1, so that a
  /// crash costs one epoch at most.
  int every_epochs = 1;
  /// Saves within epochs too, whenever the count of batches since the start is a multiple of this.
  /// 0, for never, since saving at the end of epochs is enough unless an epoch takes hours.
  Index every_batches = 0;
  /// Whether to save only epochs whose figure `monitor` is better than in all earlier epochs that
  /// every_epochs chose. NaN is never better. false, since a training resumes from its last epoch.
  bool save_best_only = false;
  /// The name of the figure that save_best_only compares. The loss of the validation data, which
  /// shows overfitting where the loss of the training data does not.
  std::string monitor = "val_loss";
  /// Whether smaller or larger figures are better. automatic: the loss or metric itself says.
  Mode mode = Mode::automatic;

  /// What the callback remembers of earlier epochs; fit puts it in the checkpoint.
  struct Memory {
    detail::Best best;
  } memory{};

  /// Checks the options and, with `resume`, reads the file if there is one. Throws ValueError on an
  /// empty path, negative intervals and options that exclude each other, with save_best_only also
  /// when the training has no figure named `monitor` or does not know which way it gets better;
  /// FileError and FormatError when the file cannot be read or is not of this training, and
  /// FileError when nothing can be written to its folder.
  void on_train_begin(TrainingRun& run);

  /// Saves, where the options choose this moment between two steps. Warns where the file cannot be
  /// written.
  void on_rest(TrainingRun& run, const Progress& progress);

  void visit_state(StateVisitor& visit);

 private:
  static constexpr std::string_view placeholder = "{epoch}";

  /// The path with the number of finished epochs.
  [[nodiscard]] std::string file_of(int epochs) const;
  [[nodiscard]] bool is_due(const Progress& progress, const TrainingRun& run);
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/io/checkpoint_definitions.hpp>
#endif
