#pragma once

#include <algorithm>
#include <vector>

#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/model/network.hpp>
#include <strata/model/options.hpp>
#include <strata/model/shards.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Throws what check_data, check_mask and check_state of Network throw where x, mask or state do
/// not fit the model. An empty state becomes zeros.
template <class Scalar>
void check_sequences(const Network<Scalar>& network, const Tensor<Scalar>& x, const Mask& mask,
                     State<Scalar>* state) {
  network.check_data(x);
  network.check_mask(mask, x);
  if (state) network.check_state(*state, x.batch());
}

/// Calls f(x, context, first) for each batch: its samples, its context, and the index of its first
/// sample among all.
template <class Scalar, class F>
void for_each_batch(const Tensor<Scalar>& x, const PredictOptions<Scalar>& options, F f) {
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    const Index count = std::min(options.batch_size, x.batch() - first);
    const Mask mask = options.mask.empty() ? Mask() : options.mask.rows(first, count);
    f(x.rows(first, count), SequenceContext<Scalar>{&mask, options.state, first}, first);
  }
}

/// The outputs for all samples of x, computed batch by batch.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const Network<Scalar>& network, const Tensor<Scalar>& x,
                                     const PredictOptions<Scalar>& options) {
  if (options.batch_size < 1) throw ValueError("predict: batch_size must be at least 1");
  check_sequences(network, x, options.mask, options.state);
  typename Network<Scalar>::Packed packed;
  network.pack(packed, false);
  std::vector<Shard> shards;
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    for (const Shard& shard : shards_of(std::min(options.batch_size, x.batch() - first))) {
      shards.push_back({first + shard.first, shard.count});
    }
  }
  return forward(network, packed, x, shards, {&options.mask, options.state});
}

}  // namespace strata::inline STRATA_TARGET::detail
