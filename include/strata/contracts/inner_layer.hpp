#pragma once

#include <cstddef>

#include <strata/contracts/layer.hpp>

namespace strata::detail {

// What a layer that is made of other layers asks of them.

/// Whether the training of a sequence depends on the other sequences of its batch.
template <class L>
[[nodiscard]] consteval bool mixes_sequences_of() {
  return L::traits.mixes_sequences.value_or(L::traits.absorb);
}

/// The pass of layer number `layer` among the inner layers, whose state begins at `offset` of the
/// state of the outer layer.
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

}  // namespace strata::detail
