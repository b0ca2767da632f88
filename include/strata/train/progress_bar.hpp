#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Shows a training as it goes, as Keras does. On a terminal, a bar moves through each epoch, with
/// the time left and the figures for which the terminal is wide enough. In a log file, or with
/// `lines`, each epoch is one line at its end. fit adds a ProgressBar by itself, unless its
/// `verbose` is 0.
///
///   model.fit(x, y, {.callbacks = {ProgressBar{.out = stderr}}, .verbose = 0});
struct ProgressBar {
  /// Whether each epoch is one line on a terminal too. False: a bar that moves, as in Keras.
  bool lines = false;
  /// The open file that the bar is written to.
  std::FILE* out = stdout;

  struct Memory {
    /// Seconds of a clock that never goes back.
    double epoch_began = 0;
    double last_drawn = 0;
    std::size_t drawn_width = 0;
    int epoch = 0;
    bool moves = false;
  } memory{};

  void on_train_begin(TrainingRun&);

  void on_epoch_begin(TrainingRun& run, int epoch);

  void on_batch_end(TrainingRun& run, Index batch, const Logs& logs);

  void on_epoch_end(TrainingRun& run, int, Logs& logs);

 private:
  [[nodiscard]] bool is_terminal() const;

  /// The number of columns that a row may fill: all columns of the terminal but the last, since
  /// some terminals begin another row after the last one. Where the width is not known, more
  /// columns than a row needs.
  [[nodiscard]] std::size_t columns() const;

  /// The count, the bar, the time and the figures, in rows that fit the terminal: the bar is
  /// shorter in a narrow one, and figures that do not fit stand in the rows below.
  [[nodiscard]] std::vector<std::string> rows_of(const std::string& count, double done,
                                                 const std::string& time, const Logs& logs) const;

  /// The number of characters in a text of UTF-8.
  [[nodiscard]] static std::size_t width_of(const std::string& text);
  [[nodiscard]] static bool begins_character(char c);
  [[nodiscard]] static std::string cut(const std::string& text, std::size_t width);

  [[nodiscard]] double seconds() const;

  [[nodiscard]] std::string title(const TrainingRun& run) const;

  [[nodiscard]] static std::string count(Index batch, const TrainingRun& run);

  [[nodiscard]] static std::string bar(double done, std::size_t width);

  [[nodiscard]] static std::string duration(double seconds);

  [[nodiscard]] static std::string figure(const std::string& name, double value);

  /// Writes a row over the one that stands there.
  void draw(const std::string& row);

  void print(const std::string& text) const;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/progress_bar_definitions.hpp>
#endif
