#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/random.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_TARGET {

/// Which end of a sequence.
enum class Side { pre, post };

/// Options of pad_sequences, with Keras' names and defaults: note that both work at the beginning.
struct PadOptions {
  /// T, the steps of all sequences; 0: those of the longest.
  Index maxlen = 0;
  /// Where short sequences are filled up.
  Side padding = Side::pre;
  /// Where long ones are cut.
  Side truncating = Side::pre;
  /// What they are filled up with.
  double value = 0;
};

/// Sequences of one length, and which of their steps are not padding.
template <class Scalar>
struct Padded {
  Tensor<Scalar> x;
  Mask mask;
};

namespace detail {

/// T, and a check of the options.
[[nodiscard]] inline Index padded_steps(const std::vector<Index>& lengths,
                                        const PadOptions& options) {
  if (lengths.empty()) throw ShapeError("pad_sequences: there are no sequences");
  if (options.maxlen < 0) {
    fail<ValueError>({"pad_sequences: maxlen must be at least 1, or 0, found ", options.maxlen});
  }
  if (options.maxlen > 0) return options.maxlen;
  const Index longest = *std::max_element(lengths.begin(), lengths.end());
  if (longest == 0) throw ShapeError("pad_sequences: all sequences are empty; give a maxlen");
  return longest;
}

/// x of the shape (B, T) or (B, T, F). values(b) gives the first number of sequence b.
template <class Scalar, class Values>
[[nodiscard]] Padded<Scalar> pad(const std::vector<Index>& lengths, const Shape& shape,
                                 const PadOptions& options, Values values) {
  const Index steps = shape[1];
  const Index features = shape.rank() == 3 ? shape[2] : 1;
  Padded<Scalar> padded{Tensor<Scalar>(shape), Mask(shape[0], steps)};
  std::fill(padded.x.values().begin(), padded.x.values().end(), static_cast<Scalar>(options.value));
  for (Index b = 0; b < shape[0]; ++b) {
    const Index length = lengths[static_cast<std::size_t>(b)];
    const Index kept = std::min(length, steps);
    const Index from = options.truncating == Side::pre ? length - kept : 0;
    const Index to = options.padding == Side::pre ? steps - kept : 0;
    const auto* const first = values(b) + from * features;
    std::transform(first, first + kept * features, padded.x.data() + (b * steps + to) * features,
                   [](auto number) { return static_cast<Scalar>(number); });
    for (Index t = 0; t < steps; ++t) padded.mask.set(b, t, t >= to && t < to + kept);
  }
  return padded;
}

template <class Scalar, class Number>
[[nodiscard]] Padded<Scalar> pad_numbers(const std::vector<std::vector<Number>>& sequences,
                                         const PadOptions& options) {
  std::vector<Index> lengths;
  for (const auto& sequence : sequences) lengths.push_back(static_cast<Index>(sequence.size()));
  const Shape shape{static_cast<Index>(lengths.size()), padded_steps(lengths, options)};
  return pad<Scalar>(lengths, shape, options,
                     [&](Index b) { return sequences[static_cast<std::size_t>(b)].data(); });
}

}  // namespace detail

/// Sequences of different lengths, each (T_b, F), as one tensor (B, T, F) with the mask of the
/// steps that are data: keras.utils.pad_sequences. A sequence may be empty, (0, F).
///
///   auto [x, mask] = pad_sequences(recordings, {.padding = Side::post});
///   model.fit(x, y, {.mask = mask});
///
/// Throws ShapeError when there are no sequences or no steps, or when their features differ;
/// ValueError on a negative maxlen.
template <class Scalar>
[[nodiscard]] Padded<Scalar> pad_sequences(const std::vector<Tensor<Scalar>>& sequences,
                                           const PadOptions& options = {}) {
  std::vector<Index> lengths;
  for (std::size_t b = 0; b < sequences.size(); ++b) {
    const Shape& shape = sequences[b].shape();
    if (shape.rank() != 2 || shape[1] != sequences.front().features() || shape[1] == 0) {
      detail::fail<ShapeError>({"pad_sequences: sequence ", b, " has the shape ", shape,
                                "; all have the shape (steps, features), with the same features"});
    }
    lengths.push_back(shape[0]);
  }
  const Index steps = detail::padded_steps(lengths, options);
  return detail::pad<Scalar>(
      lengths, {static_cast<Index>(lengths.size()), steps, sequences.front().features()}, options,
      [&](Index b) { return sequences[static_cast<std::size_t>(b)].data(); });
}

/// Sequences of single numbers as (B, T).
template <std::floating_point Scalar>
[[nodiscard]] Padded<Scalar> pad_sequences(const std::vector<std::vector<Scalar>>& sequences,
                                           const PadOptions& options = {}) {
  return detail::pad_numbers<Scalar>(sequences, options);
}

/// Sequences of class numbers as (B, T), for an Embedding.
template <std::floating_point Scalar = float, std::integral Id>
[[nodiscard]] Padded<Scalar> pad_sequences(const std::vector<std::vector<Id>>& sequences,
                                           const PadOptions& options = {}) {
  return detail::pad_numbers<Scalar>(sequences, options);
}

/// Batches of sequences of similar length, by their numbers, so that each batch needs little
/// padding: sorted by length, in random order where lengths are equal, cut into batches of
/// batch_size and a rest, and the batches shuffled. The same seed gives the same batches; another
/// for each epoch, others.
///
/// Throws ValueError on a batch_size below 1 or a negative length.
[[nodiscard]] inline std::vector<std::vector<Index>> batches_by_length(
    std::span<const Index> lengths, Index batch_size, std::uint64_t seed = 0) {
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

}  // namespace strata::inline STRATA_TARGET
