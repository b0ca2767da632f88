#pragma once

#include <strata/io/common/source.hpp>
#include <strata/target.hpp>
#include <strata/train/training_state.hpp>
namespace strata::inline STRATA_RUNTIME::io {

/// Writes the state of a training to a file. When a layer of the model does not describe itself,
/// the file keeps weights without layers: fit can resume from such a file, but load throws
/// FormatError. Throws FileError when the file cannot be written.
void write_checkpoint(const Path& path, const TrainingState& state);

/// The state of a training that write_checkpoint wrote. Throws FileError when the file cannot be
/// read, FormatError when it is damaged, holds numbers that are not finite, or holds a model
/// without a training.
[[nodiscard]] TrainingState read_checkpoint(const Source& from);

}  // namespace strata::inline STRATA_RUNTIME::io

#ifndef STRATA_COMPILED
#include <strata/io/safetensors/training_file_definitions.hpp>
#endif
