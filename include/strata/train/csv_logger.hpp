#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <strata/target.hpp>
#include <strata/train/callback.hpp>

namespace strata::detail {
class LineFile;
}  // namespace strata::detail

namespace strata::inline STRATA_RUNTIME {

/// Writes every figure of every epoch to a file of comma-separated values, a line as soon as its
/// epoch is over. NA stands for a figure that an epoch does not have. Only one training at a time
/// may write to a file. Lines that cannot be written, as on a full disk, wait for the next epoch,
/// and the training goes on with a warning.
///
///   model.fit(x, y, {.epochs = 20, .callbacks = {CSVLogger{.filename = "training.csv"}}});
struct CSVLogger {
  /// The path of the file.
  std::string filename;
  /// The text between two figures, which no number and no name of a figure may contain. A comma, as
  /// in Keras.
  std::string separator = ",";
  /// Whether to add lines to a file that exists already, in the columns that it has; a last line
  /// that was cut off is removed, with a warning. False, as in Keras: the first line of the
  /// training replaces the contents of the file.
  bool append = false;

  struct Memory {
    std::shared_ptr<detail::LineFile> file;
    /// The names of the columns after the epoch's column.
    std::vector<std::string> names;
    /// The number of bytes in whole lines that the file had before.
    std::uintmax_t kept = 0;
    bool begun = false;
    /// Lines that could not be written yet.
    std::vector<std::string> waiting;
  } memory{};

  /// Throws ValueError on a separator that numbers or names may contain, and FileError when the
  /// file cannot be opened or another training writes it. When appending, throws FormatError when
  /// the file is no table of a CSVLogger, and ValueError when the training has a figure for which
  /// the file has no column.
  void on_train_begin(TrainingRun& run);

  /// Warns where the line cannot be written.
  void on_epoch_end(TrainingRun& run, int epoch, Logs& logs);

  /// Warns of lines that could not be written.
  void on_train_end(TrainingRun& run);

 private:
  void check_separator() const;

  void check_name(const std::string& name) const;

  [[nodiscard]] bool has_column(const std::string& name) const;

  /// Finds the columns in the first line of the file.
  void read_columns(TrainingRun& run);

  /// Reads or chooses the columns, and lets the first line wait where there is none.
  void begin_table(const Logs& logs);

  /// Writes the lines that wait. Returns why that fails, or nothing.
  [[nodiscard]] std::string write_waiting();
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/csv_logger_definitions.hpp>
#endif
