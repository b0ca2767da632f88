#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/random.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// An end of a sequence: pre is its beginning, post its end.
enum class Side { pre, post };

/// Options of pad_sequences, with Keras' names and defaults. By default, sequences are both filled
/// up and cut at their beginning, so that the last step of each is data, which a layer without
/// return_sequences reads last.
///
///   pad_sequences(recordings, {.maxlen = 100, .padding = Side::post, .truncating = Side::post})
struct PadOptions {
  /// T, the steps of every sequence afterwards. 0, the default, takes the length of the longest, so
  /// that no sequence is cut.
  Index maxlen = 0;
  /// The end at which sequences shorter than T are filled up.
  Side padding = Side::pre;
  /// The end at which sequences longer than T are cut.
  Side truncating = Side::pre;
  /// The number that fills the padding. 0, as Masking and Embedding with mask_zero expect it.
  double value = 0;
};

/// Sequences that were padded to one length, (B, T) or (B, T, F), and the mask (B, T) of the steps
/// that are data.
template <class Scalar>
struct Padded {
  Tensor<Scalar> x;
  Mask mask;
};

}  // namespace strata

namespace strata::detail {

/// T of the padded sequences. Throws ShapeError when there are no sequences or no steps, ValueError
/// on a negative maxlen.
[[nodiscard]] Index padded_steps(const std::vector<Index>& lengths, const PadOptions& options);

/// Pads sequences to `shape`, (B, T) or (B, T, F). Sequence b has lengths[b] steps and its numbers
/// in C order at the pointer values(b).
template <class Scalar, class Values>
[[nodiscard]] Padded<Scalar> pad(const std::vector<Index>& lengths, const Shape& shape,
                                 const PadOptions& options, Values values) {
  const Index steps = shape[1];
  const Index features = shape.rank() == 3 ? shape[2] : 1;
  Padded<Scalar> padded{Tensor<Scalar>(shape), Mask(shape[0], steps)};
  std::fill(padded.x.values().begin(), padded.x.values().end(), static_cast<Scalar>(options.value));
  for (Index b = 0; b < shape[0]; ++b) {
    const Index length = lengths[static_cast<std::size_t>(b)];
    const Index kept = (std::min)(length, steps);
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

}  // namespace strata::detail

namespace strata {

/// Puts sequences of different lengths, (T_b, F) each, into one tensor (B, T, F) with the mask of
/// the steps that are data, as keras.utils.pad_sequences does. A sequence may be empty, (0, F).
///
///   auto [x, mask] = pad_sequences(recordings, {.padding = Side::post});
///   model.fit(x, y, {.mask = mask});
///
/// Throws ShapeError when there are no sequences or no steps, or when sequences differ in F;
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

/// As above, for sequences of single numbers: (B, T).
template <std::floating_point Scalar>
[[nodiscard]] Padded<Scalar> pad_sequences(const std::vector<std::vector<Scalar>>& sequences,
                                           const PadOptions& options = {}) {
  return detail::pad_numbers<Scalar>(sequences, options);
}

/// As above, for sequences of class numbers: (B, T), for an Embedding.
template <std::floating_point Scalar = float, std::integral Id>
[[nodiscard]] Padded<Scalar> pad_sequences(const std::vector<std::vector<Id>>& sequences,
                                           const PadOptions& options = {}) {
  return detail::pad_numbers<Scalar>(sequences, options);
}

/// Sorts sequences into batches of similar length, so that each batch needs little padding, and
/// returns the numbers of the sequences of each batch. The sequences are sorted by length, in
/// random order where lengths are equal, and cut into batches of batch_size sequences, the last of
/// which may be smaller; then the batches are shuffled. The same seed gives the same batches, so
/// use another seed for each epoch.
///
/// Throws ValueError on a batch_size below 1 or a negative length.
[[nodiscard]] std::vector<std::vector<Index>> batches_by_length(std::span<const Index> lengths,
                                                                Index batch_size,
                                                                std::uint64_t seed = 0);

}  // namespace strata

#ifndef STRATA_COMPILED
#include <strata/sequences_definitions.hpp>
#endif
