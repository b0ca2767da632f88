#pragma once

#include <algorithm>

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
[[nodiscard]] StreamSizes stream_sizes(const char* who, const Network<Scalar>& network) {
  if (!network.is_built()) {
    fail<StateError>({who, ": the model's sizes are not known yet; build or fit it first"});
  }
  Shape shape = network.input()->shape();
  for (Index axis = 0; axis + 1 < shape.rank(); ++axis) shape[axis] = 1;
  if (network.layers().front().accepts() == Accepts::ids) shape[1] = 1;
  StreamSizes sizes{.input = shape, .inputs = shape.back()};
  for (std::size_t i = 0; i < network.size(); ++i) {
    const auto& layer = network.layers()[i];
    try {
      sizes.masks ? layer.check_masked_stream() : layer.check_stream();
    } catch (const ValueError& error) {
      fail<ValueError>({who, ": layer ", i, " (", layer.describe(), "): ", error.what()});
    }
    sizes.masks = sizes.masks || layer.makes_mask();
    shape = layer.output_shape(shape);
    sizes.widest = std::max(sizes.widest, shape.back());
  }
  sizes.outputs = shape.back();
  return sizes;
}

inline void check_stream_size(const char* who, const char* what, Index found, Index expected) {
  if (found != expected) {
    fail<ShapeError>({who, ": ", what, ": expects ", expected, ", found ", found});
  }
}

/// Throws ShapeError unless `state` is the state of one sequence with the sizes of `expected`.
template <class Scalar>
void check_stream_state(const char* who, const State<Scalar>& state,
                        const State<Scalar>& expected) {
  check_stream_size(who, "set_state: the number of sequences", state.batch, 1);
  check_stream_size(who, "set_state: the number of layers", static_cast<Index>(state.layers.size()),
                    static_cast<Index>(expected.layers.size()));
  for (std::size_t i = 0; i < state.layers.size(); ++i) {
    check_stream_size(who, "set_state: the size of a layer's state",
                      static_cast<Index>(state.layers[i].size()),
                      static_cast<Index>(expected.layers[i].size()));
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
