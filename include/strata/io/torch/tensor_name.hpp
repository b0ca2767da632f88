#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

// The parts of the names of tensors: "encoder.lstm.weight_ih_l0" is the tensor weight_ih_l0 of the
// module encoder.lstm.

namespace strata::inline STRATA_RUNTIME::io {

[[nodiscard]] inline std::string leaf_of(const std::string& tensor) {
  return tensor.substr(tensor.rfind('.') + 1);
}
/// Empty for a tensor of the model itself.
[[nodiscard]] inline std::string parent_of(const std::string& tensor) {
  const std::size_t dot = tensor.rfind('.');
  return dot == std::string::npos ? std::string() : tensor.substr(0, dot);
}

[[nodiscard]] inline bool is_tensor_of_recurrent(std::string_view leaf) {
  return detail::any_of(
      std::initializer_list<std::string_view>{"weight_ih_l", "weight_hh_l", "weight_hr_l",
                                              "bias_ih_l", "bias_hh_l"},
      [&](std::string_view begin) { return leaf.starts_with(begin); });
}

/// Whether a tensor of this name belongs to a module that strata reads, cells included.
[[nodiscard]] inline bool is_tensor_of_module(std::string_view leaf) {
  const auto is = [&](std::string_view name) { return leaf == name; };
  return is_tensor_of_recurrent(leaf) ||
         detail::any_of(std::initializer_list<std::string_view>{"weight", "bias", "running_mean",
                                                                "running_var",
                                                                "num_batches_tracked", "weight_ih",
                                                                "weight_hh", "bias_ih", "bias_hh"},
                        is);
}

}  // namespace strata::inline STRATA_RUNTIME::io
