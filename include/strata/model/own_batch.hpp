#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/own_shards.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/shards.hpp>
#include <strata/support/peers.hpp>
#include <strata/target.hpp>

// How several processes fill a batch from a source of samples: each asks its source for the samples
// of its own shards, and the targets, masks and weights of all are handed to all. In the memory of
// x, which has the whole batch's shape, the rows of other processes are left as they are.

namespace strata::detail::inline STRATA_RUNTIME {

/// How the batches of a source are divided among processes.
struct Division {
  /// Null where this process is alone.
  Peers* peers = nullptr;
  /// Whether each process computes, and asks for, whole batches.
  bool is_whole = false;

  [[nodiscard]] bool divides() const noexcept { return peers && !is_whole; }
  /// The rows of a batch that a process asks for.
  [[nodiscard]] Shard rows(Index batch) const {
    return divides() ? own_rows(peers, shards_of(batch)) : Shard{0, batch};
  }
};

/// The bytes of one process for all.
template <class Number>
void share_from(Peers& peers, std::size_t rank, std::span<Number> numbers) {
  std::vector<std::size_t> ends(peers.size(), 0);
  for (std::size_t i = rank; i < ends.size(); ++i) ends[i] = numbers.size_bytes();
  peers.gather(std::as_writable_bytes(numbers), ends);
}

/// What a batch has besides its number of samples.
struct BatchForm {
  std::array<Index, 3> x{};
  std::array<Index, 3> y{};
  Index mask_steps = 0;
  Index weight_steps = 0;
  Index state_layers = 0;

  template <class Scalar>
  [[nodiscard]] static BatchForm of(const Batch<Scalar>& batch) {
    const auto form = [](const Tensor<Scalar>& tensor) {
      std::array<Index, 3> sizes{tensor.rank(), 0, 0};
      for (Index axis = 1; axis < tensor.rank(); ++axis) {
        sizes[static_cast<std::size_t>(axis)] = tensor.shape()[axis];
      }
      return sizes;
    };
    return {form(batch.x), form(batch.y), batch.mask.steps(), batch.sample_weight.steps(),
            static_cast<Index>(batch.state.layers.size())};
  }

  [[nodiscard]] static Shape shape(const std::array<Index, 3>& form, Index batch) {
    return form[0] == 3 ? Shape{batch, form[1], form[2]} : Shape{batch, form[1]};
  }
  [[nodiscard]] bool is_empty() const noexcept { return x[0] == 0; }
  [[nodiscard]] bool operator==(const BatchForm&) const = default;
};

/// Asks a source that is not in memory for the own rows of a batch of these samples. Where there
/// are none, the batch is empty.
template <class Scalar>
void fill_own(const AnySource<Scalar>& source, const Division& division,
              std::span<const Index> numbers, Batch<Scalar>& batch) {
  const Shard rows = division.rows(static_cast<Index>(numbers.size()));
  if (rows.count == 0) {
    batch = {};
    return;
  }
  source.fill(
      numbers.subspan(static_cast<std::size_t>(rows.first), static_cast<std::size_t>(rows.count)),
      batch);
  if (batch.x.batch() != rows.count) {
    fail<ShapeError>({"the source was asked for ", rows.count, " samples, and has filled x with ",
                      batch.x.batch()});
  }
}

/// Sets `batch`, of `count` samples, from the own rows that fill_own has filled. Of x and of the
/// state it has the own rows, and everything else whole. Throws ShapeError where the sources of the
/// processes have filled batches of several forms.
template <class Scalar>
void complete(const Division& division, Index count, const Batch<Scalar>& own,
              Batch<Scalar>& batch) {
  Peers& peers = *division.peers;
  const std::vector<BatchForm> forms = share_number(peers, BatchForm::of(own));
  std::size_t filled = 0;
  while (filled + 1 < forms.size() && forms[filled].is_empty()) ++filled;
  const BatchForm& form = forms[filled];
  for (std::size_t rank = 0; rank < forms.size(); ++rank) {
    if (forms[rank].is_empty() || forms[rank] == form) continue;
    fail<ShapeError>({"the sources of rank ", filled, " and rank ", rank,
                      " have filled the same batch with samples of different shapes"});
  }
  const std::vector<Shard> shards = shards_of(count);
  const Shard rows = division.rows(count);
  const auto copy = [&](const Tensor<Scalar>& from, const std::array<Index, 3>& sizes,
                        Tensor<Scalar>& to) {
    to.resize(BatchForm::shape(sizes, count));
    if (rows.count == 0) return;
    std::copy_n(from.data(), from.size(), to.data() + rows.first * (from.size() / rows.count));
  };
  copy(own.x, form.x, batch.x);
  copy(own.y, form.y, batch.y);
  share_rows(peers, batch.y.values(), shards);
  batch.mask = Mask();
  if (form.mask_steps > 0) {
    Mask all(count, form.mask_steps);
    if (rows.count > 0) all.set_rows(rows.first, own.mask);
    batch.mask = std::move(all);
    share_rows(peers, batch.mask.flags(), shards);
  }
  batch.sample_weight = {};
  if (form.weight_steps > 0) {
    Tensor<Scalar> all({count, form.weight_steps});
    const auto& weights = own.sample_weight.values();
    if (rows.count > 0) {
      std::copy(weights.begin(), weights.end(), all.data() + rows.first * form.weight_steps);
    }
    share_rows(peers, all.values(), shards);
    batch.sample_weight = SampleWeights<Scalar>(all);
  }
  batch.state = {};
  if (form.state_layers > 0) {
    std::vector<Index> sizes(static_cast<std::size_t>(form.state_layers));
    for (std::size_t i = 0; i < own.state.layers.size(); ++i) sizes[i] = own.state.size(i);
    share_from(peers, filled, std::span(sizes));
    State<Scalar> all{count, {}};
    for (const Index size : sizes) {
      all.layers.emplace_back(static_cast<std::size_t>(count * size), Scalar(0));
    }
    if (rows.count > 0) all.set_part(rows.first, own.state);
    batch.state = std::move(all);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
