#pragma once

#include <string_view>

namespace strata {

/// What a convolution over steps does at the begin of a sequence. causal: steps before the first
/// one are zeros, so that there is an output for every step, which sees no later step. valid: the
/// first output is that of the first step that has enough steps before it, so that the sequence
/// becomes shorter.
enum class Padding { valid, causal };

/// Keras' name of a padding.
[[nodiscard]] constexpr std::string_view name(Padding padding) noexcept {
  return padding == Padding::causal ? "causal" : "valid";
}

}  // namespace strata
