#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <strata/model/sequential.hpp>

namespace strata::tool {

/// A file format as strata-model knows it.
struct Format {
  /// Of the file's name: ".safetensors".
  std::string ending;
  std::string what;
  /// Empty where the format is only written, or only read.
  std::function<Sequential<>(const std::string& path)> load;
  std::function<void(const std::string& path, const Sequential<>& model)> save;
};

// One function a format, each in a file of its own. A new format is added here and in formats().
[[nodiscard]] Format safetensors_format();
[[nodiscard]] Format json_format();
[[nodiscard]] Format nam_format();
[[nodiscard]] Format header_format();
[[nodiscard]] std::vector<Format> torch_formats();
#ifdef STRATA_TOOL_KERAS
[[nodiscard]] std::vector<Format> keras_formats();
#endif
#ifdef STRATA_TOOL_ONNX
[[nodiscard]] Format onnx_format();
#endif

[[nodiscard]] inline std::vector<Format> formats() {
  std::vector<Format> list = {safetensors_format(), json_format(), nam_format(), header_format()};
  for (auto& format : torch_formats()) list.push_back(std::move(format));
#ifdef STRATA_TOOL_KERAS
  for (auto& format : keras_formats()) list.push_back(std::move(format));
#endif
#ifdef STRATA_TOOL_ONNX
  list.push_back(onnx_format());
#endif
  return list;
}

}  // namespace strata::tool
