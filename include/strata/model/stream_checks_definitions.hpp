#pragma once

#include <algorithm>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
StreamSizes stream_sizes(const char* who, const Network<Scalar>& network) {
  if (!network.is_built()) {
    fail<StateError>({who, ": the model's sizes are not known yet; build or fit it first"});
  }
  Shape shape = network.input()->shape();
  for (Index axis = 0; axis + 1 < shape.rank(); ++axis) shape[axis] = 1;
  if (network.layers().front().accepts() == Accepts::ids) shape[1] = 1;
  StreamSizes sizes{.input = shape, .inputs = shape.back()};
  for (std::size_t i = 0; i < network.size(); ++i) {
    const auto& layer = network.layers()[i];
    sizes.layer_inputs.push_back(layer.inputs());
    sizes.layer_states.push_back(layer.state_size());
    on_error<ValueError>(
        [&] { sizes.masks ? layer.check_masked_stream() : layer.check_stream(); },
        [&](const ValueError& error) {
          fail<ValueError>({who, ": layer ", i, " (", layer.describe(), "): ", error.what()});
        });
    sizes.masks = sizes.masks || layer.makes_mask();
    shape = layer.output_shape(shape);
    sizes.widest = (std::max)(sizes.widest, shape.back());
  }
  sizes.outputs = shape.back();
  return sizes;
}

STRATA_INLINE void check_stream_size(const char* who, const char* what, Index found,
                                     Index expected) {
  if (found != expected) {
    fail<ShapeError>({who, ": ", what, ": expects ", expected, ", found ", found});
  }
}

STRATA_INLINE void check_stream_size(const char* who, const char* call, const char* what,
                                     Index found, Index expected) {
  if (found != expected) {
    fail<ShapeError>({who, ": ", call, ": ", what, ": expects ", expected, ", found ", found});
  }
}

STRATA_INLINE void check_stream_weights(const char* who, const char* call, const StreamSizes& found,
                                        const StreamSizes& expected) {
  const auto check = [&](const char* what, Index one, Index wanted) {
    check_stream_size(who, call, what, one, wanted);
  };
  check("the outputs", found.outputs, expected.outputs);
  check("the number of layers", static_cast<Index>(found.layer_inputs.size()),
        static_cast<Index>(expected.layer_inputs.size()));
  for (std::size_t i = 0; i < expected.layer_inputs.size(); ++i) {
    check("the inputs of a layer", found.layer_inputs[i], expected.layer_inputs[i]);
    check("the size of a layer's state", found.layer_states[i], expected.layer_states[i]);
  }
}

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
