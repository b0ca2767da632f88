#pragma once

#include <strata/layers/layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

// What layers that are made of other layers ask of those.

/// Whether a layer can run step by step.
template <class L>
[[nodiscard]] consteval bool streams_of() {
  if constexpr (requires { L::streams; }) {
    return L::streams;
  } else {
    return true;
  }
}

/// Whether training a sequence takes part of the others of its batch: what a layer says, and
/// otherwise where it takes something over from a batch.
template <class L>
[[nodiscard]] consteval bool mixes_sequences_of() {
  if constexpr (requires { L::mixes_sequences; }) {
    return L::mixes_sequences;
  } else {
    return requires(L & layer, typename L::Tape & tape) { layer.absorb(tape); };
  }
}

template <class L>
void absorb(L& layer, typename L::Tape& tape) {
  if constexpr (requires { layer.absorb(tape); }) layer.absorb(tape);
}

/// How many numbers the parameters of a layer have.
template <class L>
[[nodiscard]] Index parameter_count(L& layer) {
  Index count = 0;
  for (const auto& parameter : layer.parameters()) count += parameter.shape.size();
  return count;
}

}  // namespace strata::inline STRATA_TARGET::detail
