#pragma once

#include <string>

#include <strata/io/common/json.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The formats that keep models as JSON.
enum class JsonFormat { pytorch, rtneural, nam };

/// Throws FormatError, with the function to call instead, where the keys of a file are those of
/// another format than `expected`.
inline void refuse_other_json(const Json& json, JsonFormat expected, const Where& where) {
  if (!json.is_object()) return;
  const auto refuse = [&](const std::string& what) { where.refuse("this is " + what); };
  const auto is = [&](JsonFormat format, bool has_keys) { return has_keys && format != expected; };
  if (is(JsonFormat::pytorch, json.contains("state_dict"))) {
    refuse("a state_dict of PyTorch; call load_pytorch");
  }
  if (is(JsonFormat::rtneural, json.contains("in_shape") && json.contains("layers"))) {
    refuse("a file of RTNeural; call load_rtneural");
  }
  if (is(JsonFormat::nam, json.contains("architecture") && json.contains("weights"))) {
    refuse("a file of Neural Amp Modeler; call load_nam");
  }
  if (json.contains("class_name") && json.contains("config")) {
    refuse(
        "the architecture of a Keras model, without weights; write both by "
        "model.save(\"model.keras\") and call load_keras");
  }
  // A state_dict has the names of tensors for keys.
  const auto is_tensor = [](const Json& value) { return value.is_array() || value.is_number(); };
  bool has_tensors = !json.empty();
  for (const auto& [name, value] : json.items()) {
    has_tensors = has_tensors && is_tensor(value) && name.find('.') != std::string::npos;
  }
  if (is(JsonFormat::pytorch, has_tensors)) {
    refuse("a state_dict of PyTorch; call load_pytorch");
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
