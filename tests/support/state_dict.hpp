#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/pytorch.hpp>
#include <strata/io/safetensors/format.hpp>

#include "error_text.hpp"

namespace strata::test {

/// A safetensors file of float32 tensors.
struct StateDict {
  std::map<std::string, std::vector<Index>> tensors;

  StateDict with(const std::string& name, const std::vector<Index>& sizes) const {
    StateDict changed = *this;
    changed.tensors[name] = sizes;
    return changed;
  }
  StateDict without(const std::string& name) const {
    StateDict changed = *this;
    changed.tensors.erase(name);
    return changed;
  }
  std::vector<std::byte> bytes() const {
    io::SafetensorsWriter writer;
    for (const auto& [name, sizes] : tensors) {
      std::size_t count = 1;
      for (const Index size : sizes) count *= static_cast<std::size_t>(size);
      std::vector<float> numbers(count, 0.5f);
      writer.add(name, sizes, std::span<const float>(numbers));
    }
    return writer.bytes();
  }
  std::string error(const PyTorchOptions& options = {}) const {
    const auto file = bytes();
    return error_text<FormatError>([&] { (void)load_pytorch(file, options); });
  }
  /// The layers that it becomes, or why not.
  std::string layers(const PyTorchOptions& options = {}) const {
    std::string text = error(options);
    if (text != "(nothing was thrown)") return text;
    const auto file = bytes();
    text.clear();
    const auto model = load_pytorch(file, options);
    for (const auto& layer : model.layers()) text += layer.describe() + "; ";
    return text;
  }
};

/// Linear modules of F inputs and U outputs by their names.
inline StateDict linears(const std::map<std::string, std::pair<Index, Index>>& modules) {
  StateDict file;
  for (const auto& [name, sizes] : modules) {
    file.tensors[name + ".weight"] = {sizes.second, sizes.first};
  }
  return file;
}

/// With an nn.LSTM.
inline StateDict with_lstm(StateDict file, const std::string& name, Index inputs, Index units) {
  file.tensors[name + ".weight_ih_l0"] = {4 * units, inputs};
  file.tensors[name + ".weight_hh_l0"] = {4 * units, units};
  return file;
}

}  // namespace strata::test
