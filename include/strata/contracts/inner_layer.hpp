#pragma once

#include <cstddef>

#include <strata/contracts/layer.hpp>
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

/// Whether a layer can make a mask.
template <class L>
[[nodiscard]] consteval bool may_mask_of() {
  return requires(const L& layer) { layer.makes_mask(); };
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

/// The pass of one of the layers, whose state begins at `offset` of that of all.
template <class Scalar>
[[nodiscard]] Pass<Scalar> inner_pass(const Pass<Scalar>& pass, std::size_t layer, Index offset) {
  const auto part = [offset](auto rows) {
    if (rows) rows.data += offset;
    return rows;
  };
  return {.random = pass.random.fork(layer),
          .mask = pass.mask,
          .continues = pass.continues,
          .initial_state = part(pass.initial_state),
          .final_state = part(pass.final_state),
          .final_derivative = part(pass.final_derivative),
          .initial_derivative = part(pass.initial_derivative)};
}

}  // namespace strata::inline STRATA_TARGET::detail
