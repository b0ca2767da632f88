#pragma once

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include <strata/contracts/description.hpp>
#include <strata/contracts/layer_traits.hpp>
#include <strata/contracts/meanwhile.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/mask.hpp>
#include <strata/random.hpp>
#include <strata/rows.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// Asks a recurrent layer for one output per step, (B, T, U), instead of one for the whole
/// sequence, (B, U). It is given to a constructor, or as a template argument.
struct ReturnSequences {
  constexpr operator bool() const noexcept { return true; }
};
inline constexpr ReturnSequences return_sequences{};

/// What a layer takes: (B, F) or sequences (B, T, F), one kind of them only, or numbers of classes
/// (B, T), one for each step.
enum class Accepts { any, samples, sequences, ids };

/// What a layer gives: the rank that it took, one output per step, or one for the whole sequence.
enum class Returns { same, sequence, last };

/// What one pass over a batch brings to a layer besides its input.
template <class Scalar>
struct Pass {
  /// Of everything random in training.
  Random random = Random();
  /// Which steps of the input count, or null: all of them.
  const Mask* mask = nullptr;
  /// Whether the steps go on from earlier ones of the same sequences. A step that does not count
  /// then repeats the last output even where none of these steps has counted yet.
  bool continues = false;
  /// Of each of the layer's parameters in their order; empty where the user has frozen none.
  std::span<const Learning> learning{};
  /// The state before the first step, S = state_size() numbers for each sequence; zeros without.
  Rows<const Scalar> initial_state{};
  /// Where the state after the last step goes. It may lie over the initial state.
  Rows<Scalar> final_state{};
  /// For backward: the derivatives by the final state, and where the derivatives by the initial
  /// state go.
  Rows<const Scalar> final_derivative{};
  Rows<Scalar> initial_derivative{};
  /// For backward: to be called now and then, as after each step.
  Meanwhile meanwhile{};
};

/// A layer of a network: parameters, and functions that do not change them.
///
/// The *parameters* belong to the layer. `build(F)` gives them their sizes, `initialize` draws
/// them, `parameters()` lists them. Everything else belongs to whoever calls, and is handed in:
///
/// - `Packed`: the weights in the order the kernels read them. `pack(packed, training)` fills it.
///   It alone is enough for `packed.step(x, state, y, order) noexcept`, one step of one sequence:
///   x of F, state of `state_size()` (read and replaced, zeros at first), y of U. `order` is the
///   WeightOrder in which the step should read the weights; a layer made of layers passes it on,
///   and a layer that has nothing to gain from it leaves it unused.
/// - `Tape`: what `backward` needs of a training pass.
/// - `Pass`: the mask, the states, and the random numbers of one pass over a batch.
/// - The gradient: the parameters' numbers in the order of `parameters()`; `backward` adds to it.
///
/// `forward(packed, x, y, pass)` predicts; `forward(packed, x, tape, y, pass)` trains.
/// `backward(packed, x, y, dy, tape, gradient, dx, pass)` computes the derivatives by the
/// parameters and, unless `dx` is null, by x, from the derivatives dy by y, which it may overwrite.
///
/// `output_features(F)` checks F, and throws ShapeError. A layer may have more functions, which it
/// names in its `traits`; see LayerTraits. A `description()` says what files keep of it besides the
/// weights; see LayerDescription. A `parameter_count() const` adds up the sizes of `parameters()`
/// without the memory that a list with names takes; each training step asks for it.
template <class L>
concept Layer = std::copyable<L> &&
    requires(L layer, const L& fixed, const Tensor<typename L::scalar_type>& in,
             Tensor<typename L::scalar_type>& out, typename L::Packed& packed,
             const typename L::Packed& ready, typename L::Tape& tape, Index features,
             const Pass<typename L::scalar_type>& pass, const Random& random,
             std::span<typename L::scalar_type> gradient, const typename L::scalar_type* value,
             typename L::scalar_type* result, WeightOrder order) {
  { L::traits } -> std::convertible_to<LayerTraits>;
  { L::accepts } -> std::convertible_to<Accepts>;
  { L::returns } -> std::convertible_to<Returns>;
  { L::fixed_inputs } -> std::convertible_to<Index>;
  { L::fixed_outputs } -> std::convertible_to<Index>;
  { fixed.kind() } -> std::convertible_to<std::string>;
  { fixed.describe() } -> std::convertible_to<std::string>;
  { fixed.inputs() } -> std::same_as<Index>;
  { fixed.output_features(features) } -> std::same_as<Index>;
  layer.build(features);
  layer.initialize(random);
  { layer.parameters() } -> std::same_as<std::vector<Parameter<typename L::scalar_type>>>;
  fixed.pack(packed, true);
  fixed.forward(ready, in, out, pass);
  fixed.forward(ready, in, tape, out, pass);
  fixed.backward(ready, in, in, out, tape, gradient, &out, pass);
  fixed.check_stream();
  { fixed.state_size() } -> std::same_as<Index>;
  { ready.step(value, result, result, order) }
  noexcept;
} && detail::agrees_with_traits<L>();

/// What a layer does in a stream at a step that does not count.
template <class Packed, class Scalar>
void skip_layer(const Packed& packed, const Scalar* x, Scalar* state, Scalar* y,
                WeightOrder order) noexcept {
  if constexpr (requires { packed.skip(x, state, y, order); }) {
    packed.skip(x, state, y, order);
  } else {
    packed.step(x, state, y, order);
  }
}

/// Whether a step counts behind a layer; `before`: whether it counts before the layer.
template <class Packed, class Scalar>
[[nodiscard]] bool counts_behind(const Packed& packed, const Scalar* x, bool before) noexcept {
  if constexpr (requires { packed.counts(x, before); }) {
    return packed.counts(x, before);
  } else {
    return before;
  }
}

/// Whether a layer makes a mask.
template <class L>
[[nodiscard]] bool makes_mask(const L& layer) {
  if constexpr (L::traits.makes_mask) {
    return layer.makes_mask();
  } else {
    return false;
  }
}

/// Throws ValueError when a layer cannot run step by step; `masked`: if some steps do not count.
template <class L>
void check_stream(const L& layer, bool masked) {
  layer.check_stream();
  if constexpr (L::traits.check_masked_stream) {
    if (masked) layer.check_masked_stream();
  }
}

/// How a layer runs step by step where it is asked to run as `asked`.
template <class L>
[[nodiscard]] Execution execution(const L& layer, const Execution& asked) {
  if constexpr (L::traits.execution) {
    return layer.execution(asked);
  } else {
    return {};
  }
}

/// The shape of a layer's output for an input of the right rank, in which sizes may be Dynamic.
template <class L>
[[nodiscard]] Shape output_shape(const L& layer, const Shape& shape) {
  if constexpr (L::traits.output_shape) {
    return layer.output_shape(shape);
  } else {
    Shape output = L::returns == Returns::last ? Shape{shape[0], 0} : shape;
    output[output.rank() - 1] =
        layer.output_features(shape.back() == Dynamic ? layer.inputs() : shape.back());
    return output;
  }
}

/// The mask of a layer's output: that of its input where it returns sequences.
template <class L, class Scalar>
[[nodiscard]] Mask output_mask(const L& layer, const Tensor<Scalar>& x, const Mask& mask) {
  if constexpr (L::traits.output_mask) {
    return layer.output_mask(x, mask);
  } else {
    return L::returns == Returns::last ? Mask() : mask;
  }
}

}  // namespace strata
