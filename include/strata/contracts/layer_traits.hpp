#pragma once

#include <optional>

#include <strata/contracts/execution.hpp>
#include <strata/contracts/state_parts.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/mask.hpp>
#include <strata/shape.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// What a layer has besides what every layer has, as it says itself:
///
///   static constexpr LayerTraits traits{.absorb = true, .check_input = true};
///
/// A function that is named here must exist, and one that exists must be named here, so that a
/// misspelt name does not compile. `traits{}` is a layer with none of them.
struct LayerTraits {
  /// False where the layer can never run step by step.
  bool streams = true;
  /// `absorb(tape)`: called after a training step, for what training changes besides weights.
  bool absorb = false;
  /// Whether training must see all sequences of a batch together, as for the mean over a batch.
  /// Otherwise a batch is trained in parts, and `absorb` is called for each. Where a layer does not
  /// say, true if it has `absorb`.
  std::optional<bool> mixes_sequences = {};
  /// `check_input(x)`: throws ValueError, with the place, on finite values that are wrong.
  bool check_input = false;
  /// `output_shape(shape)`: where the shape does not follow from `returns` and `output_features`.
  bool output_shape = false;
  /// `output_mask(x, mask)`: where the mask of the output is neither the input's nor nothing.
  bool output_mask = false;
  /// `makes_mask()` and `packed.counts(x, before)`: whether there may be steps that do not count,
  /// and whether a step that counted before the layer counts behind it.
  bool makes_mask = false;
  /// `packed.skip(x, state, y, order)`: what a stream does in place of a step that does not count,
  /// where the layer carries something over it.
  bool skip = false;
  /// `check_masked_stream()`: throws ValueError where the layer cannot run step by step if some
  /// steps do not count.
  bool check_masked_stream = false;
  /// `list_state(parts)`: names the parts of the state. Without it a state is one part, "state".
  bool list_state = false;
  /// `execution(asked)`: how the layer runs step by step where it is asked to run as `asked`, and
  /// whether its outputs are bounded. Without it the layer runs in full precision, and its outputs
  /// are not bounded.
  bool execution = false;
  /// `reduce(packed, asked)`: adds to packed weights those of a precision below the full one, which
  /// `execution(asked)` says.
  bool reduce = false;
};

}  // namespace strata

namespace strata::detail {

template <class L>
concept HasAbsorb = requires(L& layer, typename L::Tape& tape) {
  layer.absorb(tape);
};
template <class L>
concept HasCheckInput = requires(const L& layer, const Tensor<typename L::scalar_type>& x) {
  layer.check_input(x);
};
template <class L>
concept HasOutputShape = requires(const L& layer, const Shape& shape) {
  layer.output_shape(shape);
};
template <class L>
concept HasOutputMask = requires(const L& layer, const Tensor<typename L::scalar_type>& x,
                                 const Mask& mask) {
  layer.output_mask(x, mask);
};
template <class L>
concept HasMakesMask = requires(const L& layer) {
  layer.makes_mask();
};
template <class L>
concept HasCounts = requires(const typename L::Packed& packed, const typename L::scalar_type* x) {
  packed.counts(x, true);
};
template <class L>
concept HasSkip = requires(const typename L::Packed& packed, const typename L::scalar_type* x,
                           typename L::scalar_type* y) {
  packed.skip(x, y, y, WeightOrder());
};
template <class L>
concept HasCheckMaskedStream = requires(const L& layer) {
  layer.check_masked_stream();
};

template <class L>
concept HasListState = requires(const L& layer, StateParts& parts) {
  layer.list_state(parts);
};

template <class L>
concept HasExecution = requires(const L& layer) {
  layer.execution(Execution());
};
template <class L>
concept HasReduce = requires(const L& layer, typename L::Packed& packed) {
  layer.reduce(packed, Execution());
};

/// True; a compile-time error where the traits of a layer and its functions do not agree.
template <class L>
consteval bool agrees_with_traits() {
  constexpr LayerTraits traits = L::traits;
  static_assert(traits.absorb == HasAbsorb<L>,
                "strata: the traits of this layer and its functions disagree on absorb(tape); one "
                "of them may be misspelt");
  static_assert(traits.check_input == HasCheckInput<L>,
                "strata: the traits of this layer and its functions disagree on check_input(x); "
                "one of them may be misspelt");
  static_assert(traits.output_shape == HasOutputShape<L>,
                "strata: the traits of this layer and its functions disagree on "
                "output_shape(shape); one of them may be misspelt");
  static_assert(traits.output_mask == HasOutputMask<L>,
                "strata: the traits of this layer and its functions disagree on "
                "output_mask(x, mask); one of them may be misspelt");
  static_assert(traits.makes_mask == HasMakesMask<L>,
                "strata: the traits of this layer and its functions disagree on makes_mask(); one "
                "of them may be misspelt");
  static_assert(!traits.makes_mask || HasCounts<L>,
                "strata: a layer that makes a mask needs packed.counts(x, before)");
  static_assert(traits.skip == HasSkip<L>,
                "strata: the traits of this layer and its packed weights disagree on "
                "skip(x, state, y, order); one of them may be misspelt");
  static_assert(traits.check_masked_stream == HasCheckMaskedStream<L>,
                "strata: the traits of this layer and its functions disagree on "
                "check_masked_stream(); one of them may be misspelt");
  static_assert(traits.list_state == HasListState<L>,
                "strata: the traits of this layer and its functions disagree on list_state(parts); "
                "one of them may be misspelt");
  static_assert(traits.execution == HasExecution<L>,
                "strata: the traits of this layer and its functions disagree on execution(asked); "
                "one of them may be misspelt");
  static_assert(traits.reduce == HasReduce<L>,
                "strata: the traits of this layer and its functions disagree on "
                "reduce(packed, asked); one of them may be misspelt");
  return true;
}

/// Whether the training of a sequence depends on the other sequences of its batch.
template <class L>
[[nodiscard]] consteval bool mixes_sequences_of() {
  return L::traits.mixes_sequences.value_or(L::traits.absorb);
}

}  // namespace strata::detail
