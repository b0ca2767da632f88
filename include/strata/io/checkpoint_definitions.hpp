#pragma once

#include <string>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/io/checkpoint.hpp>
#include <strata/io/common/atomic_file.hpp>
#include <strata/io/safetensors/training_file.hpp>
#include <strata/target.hpp>
#include <strata/train/callback.hpp>
#include <strata/train/monitor.hpp>

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE void ModelCheckpoint::on_train_begin(TrainingRun& run) {
  memory = {};
  if (path.empty()) throw ValueError("ModelCheckpoint: the path is empty");
  if (every_epochs < 0 || every_batches < 0) {
    throw ValueError("ModelCheckpoint: every_epochs and every_batches must be at least 0");
  }
  if (save_best_only && every_batches > 0) {
    throw ValueError("ModelCheckpoint: save_best_only looks at epochs, not at batches");
  }
  if (save_best_only) memory.best.monitor("ModelCheckpoint", monitor, mode, run);
  if (!resume) {
    io::check_writable(file_of(1));
    return;
  }
  if (path.find(placeholder) != std::string::npos) {
    throw ValueError("ModelCheckpoint: resume needs one file, not one for each {epoch}");
  }
  io::remove_leftovers(path);
  const bool is_there = io::is_there(path);
  io::check_writable(path);
  if (is_there) run.resume_from(io::read_checkpoint(path));
}

STRATA_INLINE void ModelCheckpoint::on_rest(TrainingRun& run, const Progress& progress) {
  const Memory before = memory;
  if (!is_due(progress, run)) return;
  const int epochs = progress.epoch + (progress.logs ? 1 : 0);
  const TrainingState state = run.state();
  const std::string error =
      detail::error_text_of<FileError>([&] { io::write_checkpoint(file_of(epochs), state); });
  if (error.empty()) return;
  // The best epoch is that of the file, which stays.
  memory = before;
  run.warn("ModelCheckpoint: " + error + "; the training goes on after " + std::to_string(epochs) +
           " epochs" +
           (progress.logs ? "" : " and " + std::to_string(progress.batches_done) + " batches"));
}

STRATA_INLINE std::string ModelCheckpoint::file_of(int epochs) const {
  std::string name = path;
  if (const auto at = name.find(placeholder); at != std::string::npos) {
    name.replace(at, placeholder.size(), std::to_string(epochs));
  }
  return name;
}

STRATA_INLINE void ModelCheckpoint::visit_state(StateVisitor& visit) {
  memory.best.visit_state(visit);
}

STRATA_INLINE bool ModelCheckpoint::is_due(const Progress& progress, const TrainingRun& run) {
  if (progress.logs) {
    if (every_epochs == 0 || (progress.epoch + 1) % every_epochs != 0) return false;
    return !save_best_only || memory.best.improves((*progress.logs)[monitor], 0);
  }
  const auto batches = static_cast<Index>(progress.epoch) * run.batches() + progress.batches_done;
  return every_batches > 0 && batches % every_batches == 0;
}

}  // namespace strata::inline STRATA_RUNTIME
