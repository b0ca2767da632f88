#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/layer_ref.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A kind of layer as Keras writes it in names: "SimpleRNN" becomes "simple_rnn".
[[nodiscard]] inline std::string snake_case(const std::string& name) {
  const auto is_upper = [](char letter) { return letter >= 'A' && letter <= 'Z'; };
  const auto is_lower = [](char letter) { return letter >= 'a' && letter <= 'z'; };
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts_word =
        i > 0 && is_upper(name[i]) &&
        (is_lower(name[i - 1]) || (i + 1 < name.size() && is_lower(name[i + 1])));
    if (starts_word) snake += '_';
    snake += is_upper(name[i]) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  }
  return snake;
}

/// One name for each layer, as Keras names them: the kind, numbered from the second layer of the
/// kind on, such as lstm, lstm_1, dense.
template <class Scalar>
[[nodiscard]] std::vector<std::string> layer_names(const std::vector<LayerRef<Scalar>>& layers) {
  std::vector<std::string> names;
  std::map<std::string, int> uses;
  for (const auto& layer : layers) {
    const std::string name = snake_case(layer.kind());
    const int use = uses[name]++;
    names.push_back(use == 0 ? name : message({name, "_", use}));
  }
  return names;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
