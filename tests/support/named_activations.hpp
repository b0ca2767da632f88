#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <strata/activation.hpp>

namespace strata::test {

/// "tanh" to the activation. Throws std::runtime_error for a name that none has.
[[nodiscard]] inline Activation activation_named(const std::string& wanted) {
  for (int i = 0; i <= static_cast<int>(Activation::softmax); ++i) {
    if (name(static_cast<Activation>(i)) == wanted) return static_cast<Activation>(i);
  }
  throw std::runtime_error("no activation is named " + wanted);
}

/// "hard_sigmoid_relu" to the activations hard_sigmoid and relu. Throws std::runtime_error where
/// the text is not two names.
[[nodiscard]] inline std::pair<Activation, Activation> activations_named(const std::string& both) {
  for (std::size_t at = both.find('_'); at != both.npos; at = both.find('_', at + 1)) {
    try {
      return {activation_named(both.substr(0, at)), activation_named(both.substr(at + 1))};
    } catch (const std::runtime_error&) {
    }
  }
  throw std::runtime_error("no activations are named " + both);
}

}  // namespace strata::test
