#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <strata/contracts/state_parts.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A part of the state of a model, by name: the name of its layer in the summary, and of the part
/// in the layer, such as "lstm_1.c", or "skip_connections.0.h" of a layer inside another one.
struct NamedState {
  std::string name;
  /// The number of the layer, where its part begins in the layer's state, and its size.
  std::size_t layer = 0;
  Index first = 0;
  Index size = 0;

  /// The numbers of the part in a state of the model, of one of its sequences. The state must live
  /// as long as they are read.
  template <class Scalar>
  [[nodiscard]] std::span<const Scalar> of(const State<Scalar>& state, Index sequence = 0) const {
    const auto begin = static_cast<std::size_t>(sequence * state.size(layer) + first);
    return std::span(state.layers[layer]).subspan(begin, static_cast<std::size_t>(size));
  }
  template <class Scalar>
  std::span<const Scalar> of(const State<Scalar>&& state, Index sequence = 0) const = delete;
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
[[nodiscard]] std::vector<NamedState> state_parts(const Network<Scalar>& network);

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The parts of a model's state, in their order, to look into what single layers remember:
///
///   for (const NamedState& part : state_parts(model)) {
///     const std::span<const float> numbers = part.of(stream.state());
///   }
///
/// Throws StateError before the model is built.
template <class Model>
[[nodiscard]] std::vector<NamedState> state_parts(const Model& model) {
  return detail::state_parts(model.network());
}

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/state_parts_definitions.hpp>
#endif
