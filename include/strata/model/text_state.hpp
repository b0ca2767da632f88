#pragma once

#include <vector>

#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/model/state_parts.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
[[nodiscard]] State<Scalar> text_state(const Network<Scalar>& network,
                                       const std::vector<std::vector<Index>>& texts);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The state, before its first step, of a model with a WindowLSTM, for a text for each sequence:
/// its characters as class numbers in [0, V), each of which becomes a row of an identity matrix.
/// The rest of the state is zeros.
///
///   State<float> state = text_state(model, texts);
///   model.fit(x, y, {.initial_state = state});
///   stream.set_state(text_state(model, {text}));
///
/// Throws ValueError, naming the text, where the model has no window or more than one, where a text
/// is longer than the layer's `length`, and on a class number out of range; StateError before the
/// model is built.
template <class Model>
[[nodiscard]] State<typename Model::Scalar> text_state(
    const Model& model, const std::vector<std::vector<Index>>& texts) {
  return detail::text_state(model.network(), texts);
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/text_state_definitions.hpp>
#endif
