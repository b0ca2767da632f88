#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/element.hpp>
#include <strata/io/common/json.hpp>
#include <strata/io/common/json_format.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/safetensors/format.hpp>
#include <strata/io/torch/archive.hpp>
#include <strata/io/torch/tensor_name.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The tensors of a PyTorch model by name. Tensors of a safetensors file view the bytes of the
/// source, which must outlive this struct.
struct TorchStateDict {
  NamedArrays arrays;
  std::map<std::string, std::string> metadata;
  /// The names in the order of the model's definition; empty where the file does not keep it.
  std::vector<std::string> order;
  /// The settings that trainers of guitar amplifiers write; see io/torch/audio_model.hpp.
  std::optional<Json> model_data = {};
};

/// Reads a state_dict from JSON: an object that maps the name of each tensor to nested lists, in
/// the order of the model's definition. The object may also be the value of "state_dict" beside
/// "model_data". Throws FormatError on anything else.
[[nodiscard]] inline TorchStateDict read_torch_json(const Source& source) {
  const Where where = source.where();
  const Json json = read_json(source);
  if (!json.is_object()) where.expected("an object of tensors", found_text(json));
  refuse_other_json(json, JsonFormat::pytorch, where);
  TorchStateDict state{NamedArrays(where), {}, {}, {}};
  const Json* tensors = &json;
  if (json.contains("state_dict")) {
    ObjectReader both(json, where);
    state.model_data = both.raw("model_data");
    tensors = &both.raw("state_dict");
    both.finish();
    if (!tensors->is_object()) {
      where.in("state_dict").expected("an object of tensors", found_text(*tensors));
    }
  }
  for (const auto& [name, value] : tensors->items()) {
    const Where here = where.in(in_quotes(name));
    if (!value.is_array() && !value.is_number()) {
      here.expected(
          "a tensor as nested lists of numbers, since a state_dict has nothing else; in Python "
          "json.dump({name: tensor.tolist() for name, tensor in model.state_dict().items()}, file) "
          "writes one",
          found_text(value));
    }
    Numbers numbers = numbers_of(value, here);
    state.arrays.add(name, std::move(numbers.shape), numbers.values);
    state.order.push_back(name);
  }
  return state;
}

/// Gives the tensors of nn.LSTMCell, nn.GRUCell and nn.RNNCell, such as "cell.weight_ih", the names
/// that they have in a module of one layer, "cell.weight_ih_l0".
inline void rename_cells(TorchStateDict& state) {
  const auto is_of_cell = [](const std::string& name) {
    const std::string leaf = leaf_of(name);
    return leaf == "weight_ih" || leaf == "weight_hh" || leaf == "bias_ih" || leaf == "bias_hh";
  };
  for (const std::string& name : state.arrays.names()) {
    if (is_of_cell(name)) state.arrays.rename(name, name + "_l0");
  }
  for (std::string& name : state.order) {
    if (is_of_cell(name)) name += "_l0";
  }
}

/// Reads a state_dict from a file of torch.save, from safetensors or from JSON, told apart by the
/// first bytes. Throws FormatError on anything else.
[[nodiscard]] inline TorchStateDict read_torch_tensors(const Source& source) {
  const auto head = source.head(64);
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  // A safetensors file begins with the length of its header, less than the size of the file. The
  // first 8 letters of a text, read as a number, are more than any file is long.
  if (head.size() >= 8 && read_word<std::uint64_t>(head.data()) <= source.size() - 8) {
    SafetensorsFile file = read_safetensors(source);
    return {std::move(file.arrays), std::move(file.metadata), {}, {}};
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return read_torch_json(source);
  if (text.starts_with("PK")) {
    TorchStateDict state{NamedArrays(source.where()), {}, {}, {}};
    state.order = read_torch_archive(source, state.arrays);
    return state;
  }
  if (text.starts_with("\x80")) {
    source.where().refuse(
        "this is a pickle as PyTorch wrote it before version 1.6; read it there and write it anew: "
        "torch.save(torch.load(path), path)");
  }
  source.where().expected("a state_dict of torch.save, in safetensors or in JSON",
                          in_quotes(text.substr(0, 16)));
}

}  // namespace strata::inline STRATA_RUNTIME::io
