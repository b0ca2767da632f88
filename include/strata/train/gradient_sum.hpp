#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/own_shards.hpp>
#include <strata/support/peers.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/arithmetic.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A tree over shards: the shards are its leaves, and a node at `level` has the 2^level leaves from
/// `first` on, as far as there are so many.
struct TreeNode {
  std::size_t first;
  std::size_t level;

  [[nodiscard]] std::size_t middle() const noexcept {
    return first + (std::size_t{1} << level) / 2;
  }
};

/// The root of the tree over `leaves`.
[[nodiscard]] inline TreeNode tree_root(std::size_t leaves) noexcept {
  std::size_t level = 0;
  while ((std::size_t{1} << level) < leaves) ++level;
  return {0, level};
}

/// The largest nodes whose leaves are all among those from `first` to before `last`, in their
/// order.
[[nodiscard]] inline std::vector<TreeNode> largest_nodes(std::size_t leaves, std::size_t first,
                                                         std::size_t last) {
  std::vector<TreeNode> nodes;
  while (first < last) {
    std::size_t level = 0;
    for (;;) {
      const std::size_t size = std::size_t{1} << level;
      const bool begins = first % (2 * size) == 0;
      const bool has_right = first + size < leaves;
      if (!begins || !has_right || (std::min)(first + 2 * size, leaves) > last) break;
      ++level;
    }
    nodes.push_back({first, level});
    first = (std::min)(first + (std::size_t{1} << level), leaves);
  }
  return nodes;
}

/// Adds the numbers of the leaves of a node to those of its first leaf, in the order of the tree.
/// leaf(i): the numbers of leaf i.
template <class Scalar, class Leaf>
void add_leaves(const TreeNode& node, std::size_t leaves, Leaf leaf) {
  for (std::size_t step = 1; step < (std::size_t{1} << node.level); step *= 2) {
    const std::size_t last = (std::min)(node.first + (std::size_t{1} << node.level), leaves);
    for (std::size_t i = node.first; i + step < last; i += 2 * step) {
      add_to(std::span<Scalar>(leaf(i)), std::span<const Scalar>(leaf(i + step)));
    }
  }
}

/// The sum of the gradients of all shards of a batch, in the order of a tree that depends on their
/// number alone: the bits are the same whichever thread or process has computed a shard.
///
/// Among several processes, a segment of the gradient, a layer's, is summed as soon as all own
/// shards have it, while the layers before it are still computed. Each process adds up one piece of
/// it, for which it gets the others' sums of their own shards, and hands the piece to all (Thakur
/// et al. 2005, reduce-scatter and allgather).
template <class Scalar>
class GradientSum {
 public:
  /// The numbers of a layer, or of some layers, among those of a gradient.
  struct Segment {
    std::size_t first;
    std::size_t count;
  };

  /// Begins a sum. `own`: a gradient for each own shard. `sum`: where the sum comes to lie; where
  /// the first shard is an own one, its gradient is the same memory. `segments`: all numbers, in
  /// the order in which they become ready.
  void begin(Peers* peers, std::size_t shards, std::vector<std::span<Scalar>> own,
             std::span<Scalar> sum, std::vector<Segment> segments) {
    peers_ = peers;
    shards_ = shards;
    own_shards_ = own_shards(peers, shards);
    own_ = std::move(own);
    sum_ = sum;
    if (!peers_) return;
    // Memory for what is received stays from step to step.
    segments_.resize(segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) segments_[i].begin(segments[i]);
    next_ = 0;
    nodes_.clear();
    for (std::size_t rank = 0; rank < peers_->size(); ++rank) {
      const OwnShards of = shards_of_rank(shards, rank, peers_->size());
      nodes_.push_back(largest_nodes(shards, of.first, of.last));
    }
  }

  /// An own shard has the gradient of segment i. From any thread.
  void shard_is_ready(std::size_t i) {
    if (!peers_) return;
    Work& work = segments_[i];
    if (work.shards_done.fetch_add(1) + 1 == own_shards_.count()) {
      add_own(work);
      work.is_summed = true;
    }
    let_messages_travel();
  }

  /// Starts what can be started, and lets what is under way go on. To be called now and then while
  /// shards are computed; from any thread.
  void let_messages_travel() {
    if (peers_ && peers_->is_callable()) progress();
  }

  /// Waits for the sum. All own shards have their gradients.
  void finish(const Threads& threads) {
    if (!peers_) {
      threads.run_ranges(sum_.size(), [&](std::size_t first, std::size_t count) {
        add_leaves<Scalar>(tree_root(shards_), shards_,
                           [&](std::size_t i) { return own_[i].subspan(first, count); });
      });
      return;
    }
    for (Work& work : segments_) {
      if (work.is_summed) continue;
      add_own(work);
      work.is_summed = true;
    }
    while (!is_finished()) progress();
    peers_->forget_messages();
  }

 private:
  enum class Phase { waiting, adding, handing, done };

  struct Received {
    TreeNode node{};
    std::vector<Scalar> numbers;
  };

  struct Work {
    void begin(const Segment& of) {
      segment = of;
      shards_done = 0;
      is_summed = false;
      phase = Phase::waiting;
      messages.clear();
    }

    Segment segment{};
    std::atomic<std::size_t> shards_done = 0;
    std::atomic<bool> is_summed = false;
    Phase phase = Phase::waiting;
    std::vector<std::size_t> messages;
    std::vector<Received> received;
  };

  [[nodiscard]] bool is_finished() const noexcept {
    for (const Work& work : segments_) {
      if (work.phase != Phase::done) return false;
    }
    return true;
  }

  /// The part of a segment that a process adds up.
  [[nodiscard]] Segment piece(const Work& work, std::size_t rank) const noexcept {
    const std::size_t begin = work.segment.count * rank / peers_->size();
    const std::size_t end = work.segment.count * (rank + 1) / peers_->size();
    return {work.segment.first + begin, end - begin};
  }

  [[nodiscard]] std::span<Scalar> of_shard(std::size_t shard,
                                           const Segment& segment) const noexcept {
    return own_[shard - own_shards_.first].subspan(segment.first, segment.count);
  }

  void add_own(Work& work) {
    for (const TreeNode& node : nodes_[peers_->rank()]) {
      add_leaves<Scalar>(node, shards_, [&](std::size_t i) { return of_shard(i, work.segment); });
    }
  }

  /// Starts what can be started. Segments begin in their order, so that all processes match.
  void progress() {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      Work& work = segments_[i];
      if (work.phase == Phase::waiting) {
        if (i != next_ || !work.is_summed) return;
        ++next_;
        start_adding(work, tag(i, 0));
      }
      if (work.phase == Phase::adding && are_done(work)) {
        add_piece(work);
        start_handing(work, tag(i, 1));
      }
      if (work.phase == Phase::handing && are_done(work)) work.phase = Phase::done;
    }
  }

  [[nodiscard]] static int tag(std::size_t segment, int phase) noexcept {
    return static_cast<int>(2 * segment) + phase;
  }

  [[nodiscard]] bool are_done(Work& work) {
    while (!work.messages.empty() && peers_->is_done(work.messages.back()))
      work.messages.pop_back();
    return work.messages.empty();
  }

  void start_adding(Work& work, int tag) {
    const std::size_t own = peers_->rank();
    const Segment mine = piece(work, own);
    std::vector<TreeNode> expected;
    for (std::size_t rank = 0; rank < peers_->size(); ++rank) {
      if (rank != own) expected.insert(expected.end(), nodes_[rank].begin(), nodes_[rank].end());
    }
    work.received.resize(expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k) {
      work.received[k].node = expected[k];
      work.received[k].numbers.resize(mine.count);
    }
    auto to = work.received.begin();
    for (std::size_t rank = 0; rank < peers_->size(); ++rank) {
      if (rank == own) continue;
      for (std::size_t k = 0; k < nodes_[rank].size(); ++k, ++to) {
        work.messages.push_back(
            peers_->receive(rank, tag, std::as_writable_bytes(std::span(to->numbers))));
      }
      for (const TreeNode& node : nodes_[own]) {
        work.messages.push_back(
            peers_->send(rank, tag, std::as_bytes(of_shard(node.first, piece(work, rank)))));
      }
    }
    work.phase = Phase::adding;
  }

  void add_piece(Work& work) {
    const Segment mine = piece(work, peers_->rank());
    std::map<std::size_t, std::pair<std::size_t, std::span<Scalar>>> known;
    for (const TreeNode& node : nodes_[peers_->rank()]) {
      known[node.first] = {node.level, of_shard(node.first, mine)};
    }
    for (Received& received : work.received) {
      known[received.node.first] = {received.node.level, received.numbers};
    }
    const std::span<Scalar> all = sum_of(known, tree_root(shards_));
    const std::span<Scalar> to = sum_.subspan(mine.first, mine.count);
    if (all.data() != to.data()) std::copy(all.begin(), all.end(), to.begin());
  }

  /// The numbers of a node: known, or those of its halves added.
  template <class Known>
  [[nodiscard]] std::span<Scalar> sum_of(const Known& known, const TreeNode& node) const {
    const auto found = known.find(node.first);
    if (found != known.end() && found->second.first == node.level) return found->second.second;
    const std::span<Scalar> left = sum_of(known, {node.first, node.level - 1});
    if (node.middle() >= shards_) return left;
    const std::span<Scalar> right = sum_of(known, {node.middle(), node.level - 1});
    add_to(left, std::span<const Scalar>(right));
    return left;
  }

  void start_handing(Work& work, int tag) {
    const Segment mine = piece(work, peers_->rank());
    for (std::size_t rank = 0; rank < peers_->size(); ++rank) {
      if (rank == peers_->rank()) continue;
      const Segment theirs = piece(work, rank);
      work.messages.push_back(peers_->receive(
          rank, tag, std::as_writable_bytes(sum_.subspan(theirs.first, theirs.count))));
      work.messages.push_back(
          peers_->send(rank, tag, std::as_bytes(sum_.subspan(mine.first, mine.count))));
    }
    work.phase = Phase::handing;
  }

  Peers* peers_ = nullptr;
  std::size_t shards_ = 0;
  OwnShards own_shards_;
  std::vector<std::span<Scalar>> own_;
  std::span<Scalar> sum_;
  std::deque<Work> segments_;
  /// The segment that begins next.
  std::size_t next_ = 0;
  /// Of each process, the nodes of the tree whose sums it has.
  std::vector<std::vector<TreeNode>> nodes_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
