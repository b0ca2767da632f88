#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

// The paths of arrays in the HDF5 files of Keras.

namespace strata::inline STRATA_RUNTIME::io {

/// Keras 2.13 calls the list of the layers otherwise than other versions.
[[nodiscard]] inline bool is_keras_list(std::string_view group) {
  return group == "layers" || group == "_layer_checkpoint_dependencies";
}

/// Files of Windows have names of groups with backslashes, where others have groups in groups.
[[nodiscard]] inline std::string with_slashes(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  return path;
}

/// Whether an array is the count of a Normalization: layers/normalization_1/vars/2 or
/// model_weights/.../normalization/count.
[[nodiscard]] inline bool is_count(std::string_view path) {
  for (const std::string_view ending : {"/vars/2", "/count", "/count:0"}) {
    if (!path.ends_with(ending)) continue;
    path.remove_suffix(ending.size());
    const std::string_view group = path.substr(path.rfind('/') + 1);
    constexpr std::string_view known = "normalization";
    return ending != "/vars/2" || group == known || group.starts_with(std::string(known) + "_");
  }
  return false;
}

/// Whether a group or array is no weight: the state of the optimizer, of metrics and of random
/// number generators, and the count of samples that Normalization keeps.
[[nodiscard]] inline bool is_no_weight(const std::string& path) {
  constexpr std::array groups = {"optimizer", "optimizer_weights", "metrics", "compile_metrics"};
  const std::string_view first = std::string_view(path).substr(0, path.find('/'));
  for (const char* group : groups) {
    if (first == group) return true;
  }
  constexpr std::string_view generator = "/seed_generator";
  return path.ends_with(generator) || is_count(path);
}

/// Throws FormatError unless the array at a path is named as the parameter: ".../kernel:0" or
/// ".../kernel" for "forward.kernel".
inline void require_array_name(const std::string& parameter, const std::string& path,
                               const Where& where) {
  const auto last = [](std::string_view text, char separator) {
    const std::size_t at = text.rfind(separator);
    return at == std::string_view::npos ? text : text.substr(at + 1);
  };
  std::string_view found = last(path, '/');
  found = found.substr(0, found.find(':'));
  const std::string_view expected = last(parameter, '.');
  if (found != expected) where.expected("an array " + in_quotes(expected), in_quotes(found));
}

/// Appends the paths of a layer's arrays, `count` in number, in the order of its parameters.
inline void add_array_names(const LayerDescription& layer, const std::string& path,
                            std::size_t count, std::vector<std::string>& names) {
  if (layer.kind == "Bidirectional") {
    add_array_names(layer.layers[0], path + "/forward_layer", count / 2, names);
    add_array_names(layer.layers[0], path + "/backward_layer", count / 2, names);
  } else if (layer.kind == "TimeDistributed") {
    add_array_names(layer.layers[0], path + "/layer", count, names);
  } else {
    const std::string cell = layer.find("return_sequences") ? "/cell" : "";
    for (std::size_t i = 0; i < count; ++i) {
      names.push_back(path + cell + "/vars/" + std::to_string(i));
    }
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
