#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>

namespace strata::inline STRATA_TARGET {

/// Writes every figure of every epoch to a file of comma-separated values, a line for each epoch as
/// soon as it is over.
struct CSVLogger {
  std::string filename;
  std::string separator = ",";
  bool append = false;

  struct Memory {
    std::shared_ptr<std::FILE> file;
    std::vector<std::string> names;
  } memory{};

  /// Throws Error when the file cannot be opened.
  void on_train_begin(TrainingRun&) {
    memory = {};
    std::FILE* file = std::fopen(filename.c_str(), append ? "a" : "w");
    if (!file) throw Error("CSVLogger: cannot open " + filename);
    memory.file.reset(file, std::fclose);
  }

  /// Throws Error when the line cannot be written.
  void on_epoch_end(TrainingRun&, int epoch, Logs& logs) {
    if (memory.names.empty()) {
      for (const auto& [name, value] : logs) memory.names.push_back(name);
      std::string header = "epoch";
      for (const auto& name : memory.names) header += separator + name;
      if (!append || std::ftell(memory.file.get()) == 0) write(header);
    }
    std::string line = std::to_string(epoch);
    for (const auto& name : memory.names) {
      const double* value = logs.find(name);
      char text[32] = "NA";
      if (value) std::snprintf(text, sizeof text, "%.9g", *value);
      line += separator + text;
    }
    write(line);
  }

  void on_train_end(TrainingRun&) { memory = {}; }

 private:
  void write(const std::string& line) const {
    if (std::fprintf(memory.file.get(), "%s\n", line.c_str()) < 0 ||
        std::fflush(memory.file.get()) != 0) {
      throw Error("CSVLogger: cannot write to " + filename);
    }
  }
};

}  // namespace strata::inline STRATA_TARGET
