#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The indices of the layers that have a state.
template <class Scalar>
[[nodiscard]] std::vector<std::size_t> layers_with_state(const Network<Scalar>& network) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.layers()[i].state_size() > 0) found.push_back(i);
  }
  return found;
}

/// Pairs of indices: a layer of the encoder that hands its state over, and the layer of the decoder
/// that takes it. Among the layers with a state, the encoder's first is paired with the decoder's
/// first, the second with the second, and so on. Throws ShapeError when the encoder has more or
/// fewer such layers than the decoder, or when the sizes of two paired states differ.
template <class Scalar>
[[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> state_pairs(
    const Network<Scalar>& encoder, const Network<Scalar>& decoder) {
  const auto from = layers_with_state(encoder);
  const auto to = layers_with_state(decoder);
  if (from.size() != to.size()) {
    fail<ShapeError>({"hand_over: the encoder has ", from.size(),
                      " layers with a state, the decoder ", to.size()});
  }
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto& giver = encoder.layers()[from[i]];
    const auto& taker = decoder.layers()[to[i]];
    if (giver.state_size() != taker.state_size()) {
      fail<ShapeError>({"hand_over: layer ", from[i], " (", giver.describe(),
                        ") of the encoder has a state of ", giver.state_size(), " numbers, layer ",
                        to[i], " (", taker.describe(), ") of the decoder one of ",
                        taker.state_size()});
    }
    pairs.emplace_back(from[i], to[i]);
  }
  return pairs;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
