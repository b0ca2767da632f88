#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <strata/language/algorithms.hpp>
#include <strata/mask.hpp>
#include <strata/model/shards.hpp>
#include <strata/model/state.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

// Which shards of a batch a process computes, and how it hands their rows to the others. A process
// that computes alone has all shards, and hands nothing on.

namespace strata::detail::inline STRATA_RUNTIME {

/// The shards from `first` to before `last`.
struct OwnShards {
  std::size_t first = 0;
  std::size_t last = 0;

  [[nodiscard]] std::size_t count() const noexcept { return last - first; }
};

/// The shards of process `rank` of `size`: nearly as many for each, one after the other.
[[nodiscard]] inline OwnShards shards_of_rank(std::size_t shards, std::size_t rank,
                                              std::size_t size) noexcept {
  return {shards * rank / size, shards * (rank + 1) / size};
}

[[nodiscard]] inline OwnShards own_shards(const Peers* peers, std::size_t shards) noexcept {
  return peers ? shards_of_rank(shards, peers->rank(), peers->size()) : OwnShards{0, shards};
}

/// The sequences of a batch in the own shards.
[[nodiscard]] inline Shard own_rows(const Peers* peers, const std::vector<Shard>& shards) {
  const OwnShards own = own_shards(peers, shards.size());
  if (own.count() == 0) return {0, 0};
  const Shard& last = shards[own.last - 1];
  return {shards[own.first].first, last.first + last.count - shards[own.first].first};
}

/// Gives each process the numbers of all. Process r has those from ends[r - 1] to ends[r].
template <class Number>
void share_parts(Peers& peers, std::span<Number> all, std::span<const std::size_t> ends) {
  std::vector<std::size_t> bytes;
  for (const std::size_t end : ends) bytes.push_back(end * sizeof(Number));
  peers.gather(std::as_writable_bytes(all), bytes);
}

/// Gives each process the rows of all. `all`: a row of numbers for each sequence of the shards.
template <class Number>
void share_rows(Peers& peers, std::span<Number> all, const std::vector<Shard>& shards) {
  const auto batch = static_cast<std::size_t>(shards.back().first + shards.back().count);
  const std::size_t row = all.size() / batch;
  std::vector<std::size_t> ends;
  for (std::size_t rank = 0; rank < peers.size(); ++rank) {
    const std::size_t last = shards_of_rank(shards.size(), rank, peers.size()).last;
    ends.push_back(last == 0
                       ? 0
                       : static_cast<std::size_t>(shards[last - 1].first + shards[last - 1].count) *
                             row);
  }
  share_parts(peers, all, std::span<const std::size_t>(ends));
}

/// How the sequences of one batch are divided among processes; by default this process has all.
class BatchParts {
 public:
  BatchParts() = default;
  BatchParts(Peers* peers, std::vector<Shard> shards) : peers_(peers), shards_(std::move(shards)) {}

  /// The sequences of this process, of a batch.
  [[nodiscard]] Shard own(Index batch) const {
    return peers_ ? own_rows(peers_, shards_) : Shard{0, batch};
  }
  /// Gives each process the rows of all, as share_rows.
  template <class Number>
  void share(std::span<Number> all) const {
    if (peers_) share_rows(*peers_, all, shards_);
  }

 private:
  Peers* peers_ = nullptr;
  std::vector<Shard> shards_;
};

/// share_rows for the state of the sequences from `first` on, of which the shards are a part.
template <class Scalar>
void share_rows(Peers& peers, State<Scalar>& state, Index first, const std::vector<Shard>& shards) {
  const Index batch = shards.back().first + shards.back().count;
  for (std::size_t layer = 0; layer < state.layers.size(); ++layer) {
    const auto size = static_cast<std::size_t>(state.size(layer));
    if (size == 0) continue;
    share_rows(peers,
               std::span(state.layers[layer])
                   .subspan(static_cast<std::size_t>(first) * size,
                            static_cast<std::size_t>(batch) * size),
               shards);
  }
}

/// A number of each process.
template <class Number>
[[nodiscard]] std::vector<Number> share_number(Peers& peers, Number own) {
  std::vector<Number> all(peers.size());
  all[peers.rank()] = own;
  std::vector<std::size_t> ends;
  for (std::size_t rank = 0; rank < peers.size(); ++rank) ends.push_back(rank + 1);
  share_parts(peers, std::span(all), std::span<const std::size_t>(ends));
  return all;
}

/// The mask of a batch, of which `own` has the masks of the own shards. Empty where those are.
[[nodiscard]] inline Mask share_masks(Peers* peers, const std::vector<Mask>& own,
                                      const std::vector<Shard>& shards) {
  if (!peers) return join_masks(own, shards);
  const Index own_steps = own.empty() ? 0 : own.front().steps();
  const std::vector<Index> steps = share_number(*peers, own_steps);
  const Index most = *std::max_element(steps.begin(), steps.end());
  if (most == 0) return {};
  Mask whole(shards.back().first + shards.back().count, most);
  const OwnShards mine = own_shards(peers, shards.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    whole.set_rows(shards[mine.first + i].first, own[i]);
  }
  share_rows(*peers, whole.flags(), shards);
  return whole;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
