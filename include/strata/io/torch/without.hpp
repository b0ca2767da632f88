#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/torch/literal_text.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/io/torch/tensor_name.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Whether a name of a tensor or module lies in a module, or is the module's own: "head.0" lies in
/// "head".
[[nodiscard]] inline bool lies_in(std::string_view name, std::string_view module) {
  return name.starts_with(module) && (name.size() == module.size() || name[module.size()] == '.');
}

/// Whether a module that is read would be another one without this tensor, such as "fc.bias".
[[nodiscard]] inline bool is_part_of_module(const TorchStateDict& state, const std::string& name) {
  if (!is_tensor_of_module(leaf_of(name))) return false;
  const std::string module = parent_of(name);
  return detail::any_of(state.arrays.names(), [&](const std::string& other) {
    return other != name && parent_of(other) == module && is_tensor_of_module(leaf_of(other));
  });
}

/// Removes tensors, and those of modules, which may have other modules in them. Throws FormatError
/// on a name that the file does not have, and on a tensor without which its module would be
/// another one.
inline void leave_out(TorchStateDict& state, const std::vector<std::string>& without) {
  for (const std::string& left_out : without) {
    const std::vector<std::string> names = state.arrays.names();
    const Where where = state.arrays.where().in(".without: " + in_quotes(left_out));
    bool found = false;
    for (const std::string& name : names) {
      if (left_out.empty() || !lies_in(name, left_out)) continue;
      if (name == left_out && is_part_of_module(state, name)) {
        const std::string module = parent_of(name);
        where.refuse(
            "a module is left out as a whole" +
            (module.empty() ? std::string() : ": .without = {" + literal_text(module) + "}"));
      }
      state.arrays.remove(name);
      found = true;
    }
    std::erase_if(state.order,
                  [&](const std::string& name) { return !state.arrays.contains(name); });
    if (found) continue;
    where.refuse("the file has no such tensor and no tensors of such a module; it has: " +
                 list_text(names));
  }
}

/// Removes the count of updates that torch.optim.swa_utils.AveragedModel keeps beside its module.
inline void leave_out_counts(TorchStateDict& state) {
  for (const std::string& name : state.arrays.names()) {
    if (leaf_of(name) == "n_averaged" && state.arrays.find(name)->shape.empty()) {
      state.arrays.remove(name);
    }
  }
  std::erase_if(state.order, [&](const std::string& name) { return !state.arrays.contains(name); });
}

}  // namespace strata::inline STRATA_RUNTIME::io
