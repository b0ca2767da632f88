#pragma once

#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/parts.hpp>
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
  /// Of each layer.
  std::vector<Index> layer_inputs = {};
  std::vector<Index> layer_states = {};
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
void check_stream_size(const char* who, const char* call, const char* what, Index found,
                       Index expected);

/// Throws ShapeError unless weights of the sizes `found` can take the place of weights of the sizes
/// `expected`. `call` is the function that was called.
void check_stream_weights(const char* who, const char* call, const StreamSizes& found,
                          const StreamSizes& expected);

/// The same for the weights of a model's layers, without asking for memory.
template <class Layers>
void check_stream_weights(const char* who, const char* call, const Layers& layers,
                          const StreamSizes& expected) {
  const auto check = [&](const char* what, Index found, Index wanted) {
    check_stream_size(who, call, what, found, wanted);
  };
  check("the number of layers", static_cast<Index>(part_count(layers)),
        static_cast<Index>(expected.layer_inputs.size()));
  Shape shape = expected.input;
  for_each_part(layers, [&](auto i) {
    const auto& layer = part(layers, i);
    check("the inputs of a layer", layer.inputs(), expected.layer_inputs[i]);
    check("the size of a layer's state", layer.state_size(), expected.layer_states[i]);
    shape = output_shape(layer, shape);
  });
  check("the outputs", shape.back(), expected.outputs);
}

/// Throws ShapeError unless `state` is the state of one sequence with the sizes of `expected`.
template <class Scalar>
void check_stream_state(const char* who, const State<Scalar>& state, const State<Scalar>& expected);

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/stream_checks_definitions.hpp>
#endif
