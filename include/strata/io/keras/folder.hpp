#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A model that Keras wrote as three files of one folder, as it does for the Hugging Face Hub and
/// by model.save(folder, zipped=False), in memory: the bytes of the files, which must outlive the
/// object. A .keras file is an archive of the same three files, so that a program without libzip
/// can unpack it by other means.
struct KerasFolder {
  std::span<const std::byte> metadata;  ///< metadata.json
  std::span<const std::byte> config;    ///< config.json
  std::span<const std::byte> weights;   ///< model.weights.h5
  /// The name of the model in messages.
  std::string name = "memory";
};

namespace io {

/// The names of the files of a KerasFolder.
inline constexpr const char* keras_metadata = "metadata.json";
inline constexpr const char* keras_config = "config.json";
inline constexpr const char* keras_weights = "model.weights.h5";

}  // namespace io

}  // namespace strata::inline STRATA_RUNTIME
