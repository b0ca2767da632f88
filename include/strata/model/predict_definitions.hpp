#pragma once

#include <algorithm>
#include <vector>

#include <strata/error.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/model/predict.hpp>
#include <strata/model/shards.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network, const Tensor<Scalar>& x,
                       const PredictOptions<Scalar>& options) {
  if (options.batch_size < 1) throw ValueError("predict: batch_size must be at least 1");
  check_sequences(network, x, options.mask, options.state);
  typename ForwardNetwork<Scalar>::Packed packed;
  network.pack(packed, false);
  std::vector<Shard> shards;
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    for (const Shard& shard : shards_of(std::min(options.batch_size, x.batch() - first))) {
      shards.push_back({first + shard.first, shard.count});
    }
  }
  return forward(network, packed, x, shards, {&options.mask, options.state});
}

}  // namespace strata::detail::inline STRATA_RUNTIME
