#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/mask.hpp>
#include <strata/random.hpp>
#include <strata/sequences.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail {

STRATA_INLINE Index padded_steps(const std::vector<Index>& lengths, const PadOptions& options) {
  if (lengths.empty()) detail::raise<ShapeError>("pad_sequences: there are no sequences");
  if (options.maxlen < 0) {
    fail<ValueError>({"pad_sequences: maxlen must be at least 1, or 0, found ", options.maxlen});
  }
  if (options.maxlen > 0) return options.maxlen;
  const Index longest = *std::max_element(lengths.begin(), lengths.end());
  if (longest == 0)
    detail::raise<ShapeError>("pad_sequences: all sequences are empty; give a maxlen");
  return longest;
}

}  // namespace strata::detail

namespace strata {

STRATA_INLINE std::vector<std::vector<Index>> batches_by_length(std::span<const Index> lengths,
                                                                Index batch_size,
                                                                std::uint64_t seed) {
  if (batch_size < 1) {
    detail::fail<ValueError>(
        {"batches_by_length: batch_size must be at least 1, found ", batch_size});
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] >= 0) continue;
    detail::fail<ValueError>({"batches_by_length: sequence ", i, " has the length ", lengths[i]});
  }
  const auto shuffle = [](auto& list, Random random) {
    for (std::size_t i = list.size(); i > 1; --i) {
      std::swap(list[i - 1], list[static_cast<std::size_t>(random.below(static_cast<Index>(i)))]);
    }
  };
  std::vector<Index> order(lengths.size());
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(order, Random(seed).fork(0));
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
    return lengths[static_cast<std::size_t>(a)] < lengths[static_cast<std::size_t>(b)];
  });
  std::vector<std::vector<Index>> batches;
  for (auto first = order.begin(); first != order.end();) {
    const auto last = first + std::min<Index>(batch_size, order.end() - first);
    batches.emplace_back(first, last);
    first = last;
  }
  shuffle(batches, Random(seed).fork(1));
  return batches;
}

}  // namespace strata
