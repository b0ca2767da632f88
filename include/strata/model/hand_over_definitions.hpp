#pragma once

#include <strata/model/hand_over.hpp>
#include <strata/model/state_pairs.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
State<Scalar> hand_over(const Network<Scalar>& encoder, const State<Scalar>& state,
                        const Network<Scalar>& decoder) {
  State<Scalar> begin = decoder.zero_state(state.batch);
  for (const auto& [from, to] : state_pairs(encoder, decoder)) {
    begin.layers[to] = state.layers[from];
  }
  return begin;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
