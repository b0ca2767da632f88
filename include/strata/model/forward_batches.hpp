#pragma once

#include <algorithm>
#include <vector>

#include <strata/mask.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/own_shards.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/model/shards.hpp>
#include <strata/model/state.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The outputs of a network for x (B, F) or (B, T, F), computed shard by shard on its threads.
/// Where several processes compute together, each computes its own shards and, with
/// `shares_outputs`, hands the others its outputs.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> forward(const ForwardNetwork<Scalar>& network,
                                     const typename ForwardNetwork<Scalar>::Packed& packed,
                                     const Tensor<Scalar>& x, const std::vector<Shard>& shards,
                                     const SequenceContext<Scalar>& context,
                                     bool shares_outputs = true) {
  Peers* const peers = network.peers();
  if (shards.size() == 1 && !peers) return network.forward(packed, x, context);
  const OwnShards own = own_shards(peers, shards.size());
  Tensor<Scalar> all(network.output_shape(x.shape()));
  Scalar* const to = all.data();
  const Index sample = all.size() / all.batch();
  std::vector<Mask> masks(context.output_mask ? own.count() : 0);
  network.threads().run(own.count(), [&](std::size_t i) {
    const Shard& shard = shards[own.first + i];
    const Mask mask = rows_of(context.mask, shard);
    const Tensor<Scalar> y =
        network.forward(packed, x.rows(shard.first, shard.count),
                        {.mask = &mask,
                         .state = context.state,
                         .first = context.first + shard.first,
                         .output_mask = context.output_mask ? &masks[i] : nullptr,
                         .continues = context.continues});
    std::copy_n(y.data(), y.size(), to + shard.first * sample);
  });
  if (peers) {
    if (shares_outputs) share_rows(*peers, all.values(), shards);
    if (context.state) share_rows(*peers, *context.state, context.first, shards);
  }
  if (context.output_mask) *context.output_mask = share_masks(peers, masks, shards);
  return all;
}

/// The outputs of a network for x, one batch, cut by shards_of.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> forward(const ForwardNetwork<Scalar>& network,
                                     const typename ForwardNetwork<Scalar>::Packed& packed,
                                     const Tensor<Scalar>& x,
                                     const SequenceContext<Scalar>& context) {
  return forward(network, packed, x, shards_of(x.batch()), context);
}

/// Throws what check_data, check_mask and check_state of Network throw where x, mask or state do
/// not fit the model. An empty state becomes zeros.
template <class Scalar>
void check_sequences(const ForwardNetwork<Scalar>& network, const Tensor<Scalar>& x,
                     const Mask& mask, State<Scalar>* state) {
  network.check_data(x);
  network.check_mask(mask, x);
  if (state) network.check_state(*state, x.batch());
}

}  // namespace strata::detail::inline STRATA_RUNTIME
