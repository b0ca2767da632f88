#pragma once

#include <algorithm>
#include <vector>

#include <strata/mask.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

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
    whole.set_rows(shards[i].first, parts[i]);
  }
  return whole;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
