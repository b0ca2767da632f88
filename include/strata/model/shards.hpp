#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <strata/mask.hpp>
#include <strata/model/network.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Sequences of a batch that are computed together, in one thread.
struct Shard {
  Index first;
  Index count;
};

/// Cuts a batch into an even number of nearly equal shards of at most 32 sequences. A batch below
/// 24 is one shard, since smaller shards do not fill the kernels. The cut does not depend on the
/// number of threads: the last bits of an output may depend on the other sequences of its shard,
/// and the last bits of a sum on its order, so the results are the same for any number of threads.
[[nodiscard]] inline std::vector<Shard> shards_of(Index batch) {
  constexpr Index smallest_batch = 24;
  constexpr Index largest_shard = 32;
  const Index count =
      batch < smallest_batch ? 1 : 2 * ((batch + 2 * largest_shard - 1) / (2 * largest_shard));
  std::vector<Shard> shards;
  for (Index i = 0, first = 0; i < count; ++i) {
    shards.push_back({first, (batch - first) / (count - i)});
    first += shards.back().count;
  }
  return shards;
}

[[nodiscard]] inline Mask rows_of(const Mask* mask, const Shard& shard) {
  return mask ? mask->rows(shard.first, shard.count) : Mask();
}

/// The mask of a batch, joined from the masks of its shards; empty where all of them are empty.
[[nodiscard]] inline Mask join_masks(const std::vector<Mask>& parts,
                                     const std::vector<Shard>& shards) {
  const auto known =
      std::find_if(parts.begin(), parts.end(), [](const Mask& part) { return !part.empty(); });
  if (known == parts.end()) return {};
  Mask whole(shards.back().first + shards.back().count, known->steps());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (Index b = 0; b < parts[i].batch(); ++b) {
      for (Index t = 0; t < whole.steps(); ++t) whole.set(shards[i].first + b, t, parts[i](b, t));
    }
  }
  return whole;
}

/// The outputs of a network for x (B, F) or (B, T, F), computed shard by shard on its threads.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> forward(const Network<Scalar>& network,
                                     const typename Network<Scalar>::Packed& packed,
                                     const Tensor<Scalar>& x, const std::vector<Shard>& shards,
                                     const SequenceContext<Scalar>& context) {
  if (shards.size() == 1) return network.forward(packed, x, context);
  Tensor<Scalar> all(network.output_shape(x.shape()));
  Scalar* const to = all.data();
  const Index sample = all.size() / all.batch();
  std::vector<Mask> masks(context.output_mask ? shards.size() : 0);
  network.threads().run(shards.size(), [&](std::size_t i) {
    const Shard& shard = shards[i];
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
  if (context.output_mask) *context.output_mask = join_masks(masks, shards);
  return all;
}

/// The outputs of a network for x, one batch, cut by shards_of.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> forward(const Network<Scalar>& network,
                                     const typename Network<Scalar>::Packed& packed,
                                     const Tensor<Scalar>& x,
                                     const SequenceContext<Scalar>& context) {
  return forward(network, packed, x, shards_of(x.batch()), context);
}

}  // namespace strata::inline STRATA_TARGET::detail
