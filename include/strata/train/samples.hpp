#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <strata/mask.hpp>
#include <strata/model/batch.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/shards.hpp>
#include <strata/model/state.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// A view of a tensor, or an empty tensor where it is empty.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> view_of(const Tensor<Scalar>& all) {
  if (all.rank() == 0) return {};
  return Tensor<Scalar>::view(all.data(), all.shape());
}

/// Some samples that follow each other. x and y are views.
template <class Scalar>
[[nodiscard]] Batch<Scalar> part_of(const Batch<Scalar>& all, Index first, Index count) {
  if (count == 0) return {};
  return {all.x.rows(first, count), all.y.rows(first, count),
          all.mask.empty() ? Mask() : all.mask.rows(first, count),
          all.sample_weight.rows(first, count),
          all.state.empty() ? State<Scalar>() : all.state.part(first, count)};
}

/// The numbers from 0 to count - 1 in a random order, the same on every platform: Fisher and Yates'
/// shuffle.
[[nodiscard]] inline std::vector<Index> shuffled(Index count, Random random) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
  }
  return order;
}

/// Of the samples of these numbers, sets those of `own` in `batch`, which has room for all.
template <class Scalar>
void gather_rows(const Tensor<Scalar>& all, std::span<const Index> numbers, const Shard& own,
                 Tensor<Scalar>& batch) {
  Shape shape = all.shape();
  shape[0] = static_cast<Index>(numbers.size());
  batch.resize(shape);
  const Index size = all.size() / all.batch();
  Scalar* const to = batch.data();
  for (Index i = own.first; i < own.first + own.count; ++i) {
    const Index number = numbers[static_cast<std::size_t>(i)];
    std::copy_n(all.data() + number * size, size, to + i * size);
  }
}

template <class Scalar>
void gather_states(const State<Scalar>& all, std::span<const Index> numbers, State<Scalar>& batch) {
  batch = {static_cast<Index>(numbers.size()), {}};
  for (std::size_t layer = 0; layer < all.layers.size(); ++layer) {
    const Index size = all.size(layer);
    std::vector<Scalar>& to = batch.layers.emplace_back();
    for (const Index number : numbers) {
      const auto from = all.layers[layer].begin() + number * size;
      to.insert(to.end(), from, from + size);
    }
  }
}

[[nodiscard]] inline Mask gathered(const Mask& all, std::span<const Index> numbers) {
  if (all.empty()) return {};
  Mask mask(static_cast<Index>(numbers.size()), all.steps());
  for (Index i = 0; i < mask.batch(); ++i) {
    const Index number = numbers[static_cast<std::size_t>(i)];
    for (Index t = 0; t < all.steps(); ++t) mask.set(i, t, all(number, t));
  }
  return mask;
}

/// Samples that are in memory. The tensors of `all` are views where they are the user's.
template <class Scalar>
class MemorySamples final : public AnySource<Scalar> {
 public:
  explicit MemorySamples(Batch<Scalar> all) : all_(std::move(all)) {}

  [[nodiscard]] Index size() const override { return all_.x.batch(); }
  [[nodiscard]] const Batch<Scalar>* all() const noexcept override { return &all_; }

  void fill(std::span<const Index> numbers, Batch<Scalar>& batch) const override {
    fill(numbers, {0, static_cast<Index>(numbers.size())}, batch);
  }
  /// Samples that follow each other are handed out as views.
  void fill(std::span<const Index> numbers, const Shard& own, Batch<Scalar>& batch) const override {
    const auto count = static_cast<Index>(numbers.size());
    bool follow = true;
    for (std::size_t i = 1; i < numbers.size(); ++i) follow &= numbers[i] == numbers[i - 1] + 1;
    if (follow) {
      batch = part_of(all_, numbers.front(), count);
      return;
    }
    gather_rows(all_.x, numbers, own, batch.x);
    gather_rows(all_.y, numbers, {0, count}, batch.y);
    gather_states(all_.state, numbers, batch.state);
    batch.mask = gathered(all_.mask, numbers);
    batch.sample_weight = all_.sample_weight.gathered(numbers);
  }

 private:
  Batch<Scalar> all_;
};

/// A copy of some steps of all sequences of a tensor (B, T, F), or (B, T) with one number for each
/// step.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> steps_of(const Tensor<Scalar>& all, Index first, Index count) {
  const Index features = all.rank() == 3 ? all.features() : 1;
  const Index steps = all.rank() == 3 ? all.steps() : all.features();
  Tensor<Scalar> window(all.rank() == 3 ? Shape{all.batch(), count, features}
                                        : Shape{all.batch(), count});
  for (Index b = 0; b < all.batch(); ++b) {
    std::copy_n(all.data() + (b * steps + first) * features, count * features,
                window.data() + b * count * features);
  }
  return window;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
