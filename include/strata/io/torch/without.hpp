#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Whether a name of a tensor or module lies in a module, or is the module's own: "head.0" lies in
/// "head".
[[nodiscard]] inline bool lies_in(std::string_view name, std::string_view module) {
  return name.starts_with(module) && (name.size() == module.size() || name[module.size()] == '.');
}

/// Removes the tensors of modules, which may have other modules in them. Throws FormatError on a
/// module that the file does not have.
inline void leave_out(TorchStateDict& state, const std::vector<std::string>& modules) {
  for (const std::string& module : modules) {
    const std::vector<std::string> names = state.arrays.names();
    bool found = false;
    for (const std::string& name : names) {
      if (module.empty() || name == module || !lies_in(name, module)) continue;
      state.arrays.remove(name);
      found = true;
    }
    std::erase_if(state.order,
                  [&](const std::string& name) { return !state.arrays.contains(name); });
    if (found) continue;
    const Where where = state.arrays.where().in(".without: " + in_quotes(module));
    where.refuse("the file has no tensors of such a module; it has: " + list_text(names));
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
