#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/support/line_file.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/csv_logger.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void CSVLogger::on_train_begin(TrainingRun& run) {
  memory = {};
  check_separator();
  for (const Figure& figure : run.figures()) check_name(figure.name);
  memory.file = std::make_shared<detail::LineFile>("CSVLogger", filename);
  if (append) read_columns(run);
}

STRATA_INLINE void CSVLogger::on_epoch_end(TrainingRun& run, int epoch, Logs& logs) {
  if (!memory.begun) begin_table(logs);
  std::string line = std::to_string(epoch);
  for (const auto& name : memory.names) {
    const double* value = logs.find(name);
    line += separator + (value ? detail::number_text(*value, 9) : "NA");
  }
  memory.waiting.push_back(std::move(line));
  if (const std::string error = write_waiting(); !error.empty()) {
    run.warn(error + "; the training goes on after epoch " + std::to_string(epoch));
  }
  for (const auto& [name, value] : logs) {
    if (!has_column(name)) {
      run.warn("CSVLogger: " + filename + " has no column for " + name +
               ", which came after the first epoch or is new to the file; it is not written");
    }
  }
}

STRATA_INLINE void CSVLogger::on_train_end(TrainingRun& run) {
  if (const std::string error = write_waiting(); !error.empty()) {
    run.warn(error + "; it lacks the last " + std::to_string(memory.waiting.size()) + " lines");
  }
  memory = {};
}

STRATA_INLINE std::string CSVLogger::write_waiting() {
  return detail::error_text_of<FileError>([&] {
    while (!memory.waiting.empty()) {
      memory.file->add(memory.waiting.front());
      memory.waiting.erase(memory.waiting.begin());
    }
  });
}

STRATA_INLINE void CSVLogger::check_separator() const {
  const auto in_numbers = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '+' || c == '-' || c == '\n' || c == '\r';
  };
  if (separator.empty() || std::any_of(separator.begin(), separator.end(), in_numbers)) {
    detail::raise<ValueError>(
        "CSVLogger: the separator must be text that no number contains, found \"" + separator +
        "\"");
  }
}

STRATA_INLINE void CSVLogger::check_name(const std::string& name) const {
  if (name.find(separator) == std::string::npos && name.find('\n') == std::string::npos) return;
  detail::raise<ValueError>("CSVLogger: the figure \"" + name + "\" has the separator \"" +
                            separator + "\" or a line's end in its name; choose another separator");
}

STRATA_INLINE bool CSVLogger::has_column(const std::string& name) const {
  return std::find(memory.names.begin(), memory.names.end(), name) != memory.names.end();
}

STRATA_INLINE void CSVLogger::read_columns(TrainingRun& run) {
  const std::string text = memory.file->content();
  const std::size_t last_end = text.rfind('\n');
  memory.kept = last_end == std::string::npos ? 0 : last_end + 1;
  if (memory.kept < text.size()) {
    run.warn("CSVLogger: the last line of " + filename +
             " was cut off and is removed: " + text.substr(static_cast<std::size_t>(memory.kept)));
  }
  if (memory.kept == 0) return;
  std::string header = text.substr(0, text.find('\n'));
  if (header.ends_with('\r')) header.pop_back();
  const std::string epoch = "epoch";
  if (header != epoch && !header.starts_with(epoch + separator)) {
    detail::raise<FormatError>(
        "CSVLogger: the first line of " + filename + " is \"" + header +
        "\"; expected epoch and the names of figures, with the separator \"" + separator + "\"");
  }
  for (std::size_t at = epoch.size(); at < header.size();) {
    const std::size_t begin = at + separator.size();
    at = (std::min)(header.find(separator, begin), header.size());
    memory.names.push_back(header.substr(begin, at - begin));
  }
  for (const Figure& figure : run.figures()) {
    if (has_column(figure.name)) continue;
    detail::raise<ValueError>("CSVLogger: " + filename + " has no column for " + figure.name +
                              "; its columns are " + header +
                              ". Choose another file, or begin this one anew without .append");
  }
}

STRATA_INLINE void CSVLogger::begin_table(const Logs& logs) {
  if (memory.kept == 0) {
    std::string header = "epoch";
    for (const auto& [name, value] : logs) {
      check_name(name);
      memory.names.push_back(name);
      header += separator + name;
    }
    memory.file->truncate(0);
    memory.waiting.push_back(std::move(header));
  } else {
    memory.file->truncate(memory.kept);
  }
  memory.begun = true;
}

}  // namespace strata::inline STRATA_RUNTIME
