#pragma once

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

// What Stream and StreamBatch ask of a model. `who` is the name of the asker, for messages.

/// The sizes of one step of one sequence.
struct StreamSizes {
  Shape input;         ///< (1, F), (1, 1, F), or (1, 1) for ids
  Index inputs = 0;    ///< F
  Index outputs = 0;   ///< U of the last layer
  Index widest = 0;    ///< the largest number of outputs of a layer
  bool masks = false;  ///< whether a layer makes a mask
};

/// Does not compile when a layer can never run step by step. `Layers` is a StreamLayers.
template <class Layers>
consteval void require_streams() {
  static_assert(Layers::streams,
                "strata: a Stream runs step by step, but a layer of this model needs the whole "
                "sequence");
}

/// The sizes of a step of a network. Throws StateError before it is built, and ValueError, naming
/// the layer, when a layer cannot run step by step.
template <class Scalar>
[[nodiscard]] StreamSizes stream_sizes(const char* who, const Network<Scalar>& network);

void check_stream_size(const char* who, const char* what, Index found, Index expected);

/// Throws ShapeError unless `state` is the state of one sequence with the sizes of `expected`.
template <class Scalar>
void check_stream_state(const char* who, const State<Scalar>& state, const State<Scalar>& expected);

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/stream_checks_definitions.hpp>
#endif
