#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Samples of a training or validation: x, the targets y, the mask of x, empty where all steps
/// count, and the state before the first step, empty where it is zero.
template <class Scalar>
struct Samples {
  Tensor<Scalar> x;
  Tensor<Scalar> y;
  Mask mask;
  State<Scalar> state;
};

/// Some samples that follow each other.
template <class Scalar>
[[nodiscard]] Samples<Scalar> part_of(const Tensor<Scalar>& x, const Tensor<Scalar>& y,
                                      const Mask& mask, const State<Scalar>& state, Index first,
                                      Index count) {
  return {x.rows(first, count), y.rows(first, count),
          mask.empty() || count == 0 ? Mask() : mask.rows(first, count),
          state.empty() || count == 0 ? State<Scalar>() : state.part(first, count)};
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

template <class Scalar>
void gather_rows(const Tensor<Scalar>& all, const std::vector<Index>& order, Index first,
                 Index count, Tensor<Scalar>& batch) {
  Shape shape = all.shape();
  shape[0] = count;
  batch.resize(shape);
  const Index size = all.size() / all.batch();
  for (Index i = 0; i < count; ++i) {
    const Index sample = order[static_cast<std::size_t>(first + i)];
    std::copy_n(all.data() + sample * size, size, batch.data() + i * size);
  }
}

template <class Scalar>
void gather_states(const State<Scalar>& all, const std::vector<Index>& order, Index first,
                   Index count, State<Scalar>& batch) {
  batch = {count, {}};
  for (std::size_t layer = 0; layer < all.layers.size(); ++layer) {
    const Index size = all.size(layer);
    std::vector<Scalar>& numbers = batch.layers.emplace_back();
    for (Index i = 0; i < count; ++i) {
      const auto from =
          all.layers[layer].begin() + order[static_cast<std::size_t>(first + i)] * size;
      numbers.insert(numbers.end(), from, from + size);
    }
  }
}

/// Copies `count` samples into `batch`. The first is number `first` in `order`, an order of all
/// samples; an empty order is the order of the data.
template <class Scalar>
void gather(const Samples<Scalar>& all, const std::vector<Index>& order, Index first, Index count,
            Samples<Scalar>& batch) {
  batch.mask = Mask();
  if (order.empty()) {
    batch = part_of(all.x, all.y, all.mask, all.state, first, count);
    return;
  }
  gather_rows(all.x, order, first, count, batch.x);
  gather_rows(all.y, order, first, count, batch.y);
  gather_states(all.state, order, first, count, batch.state);
  if (all.mask.empty()) return;
  batch.mask = Mask(count, all.mask.steps());
  for (Index i = 0; i < count; ++i) {
    const Index sample = order[static_cast<std::size_t>(first + i)];
    for (Index t = 0; t < all.mask.steps(); ++t) batch.mask.set(i, t, all.mask(sample, t));
  }
}

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
