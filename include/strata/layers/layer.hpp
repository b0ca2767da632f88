#pragma once

#include <concepts>
#include <span>
#include <string>
#include <vector>

#include <strata/layers/parameter.hpp>
#include <strata/random.hpp>
#include <strata/tensor.hpp>

namespace strata {

/// Asks a recurrent layer for one output per step, (B, T, U), instead of one for the whole
/// sequence, (B, U). It is given to a constructor, or as a template argument.
struct ReturnSequences {
  constexpr operator bool() const noexcept { return true; }
};
inline constexpr ReturnSequences return_sequences{};

/// What a layer takes: sequences (B, T, F) only, or (B, F) as well.
enum class Accepts { any, sequences };

/// What a layer gives: the rank that it took, one output per step, or one for the whole sequence.
enum class Returns { same, sequence, last };

/// What one training pass brings to every layer: its source of random numbers.
struct Pass {
  Random random;
};

/// A layer of a network: parameters, and functions that do not change them.
///
/// The *parameters* belong to the layer. `build(F)` gives them their sizes, `initialize` draws
/// them, `parameters()` lists them. Everything else belongs to whoever calls, and is handed in:
///
/// - `Packed`: the weights in the order the kernels read them. `pack(packed, training)` fills it.
///   It alone is enough for `packed.step(x, state, y) noexcept`, one step of one sequence:
///   x of F, state of `state_size()` (read and replaced, zeros at first), y of U.
/// - `Tape`: what `backward` needs of a training pass.
/// - The gradient: the parameters' numbers in the order of `parameters()`; `backward` adds to it.
///
/// `forward(packed, x, y)` predicts; `forward(packed, x, tape, y, pass)` trains. `backward(packed,
/// x, y, dy, tape, gradient, dx)` takes the derivatives by y, which it may overwrite, to those by
/// the parameters and, unless `dx` is null, by x.
///
/// `output_features(F)` checks F, and throws ShapeError.
template <class L>
concept Layer = std::copyable<L> &&
    requires(L layer, const L& fixed, const Tensor<typename L::scalar_type>& in,
             Tensor<typename L::scalar_type>& out, typename L::Packed& packed,
             const typename L::Packed& ready, typename L::Tape& tape, Index features,
             const Pass& pass, const Random& random, std::span<typename L::scalar_type> gradient,
             const typename L::scalar_type* value, typename L::scalar_type* result) {
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
  fixed.forward(ready, in, out);
  fixed.forward(ready, in, tape, out, pass);
  fixed.backward(ready, in, in, out, tape, gradient, &out);
  fixed.check_stream();
  { fixed.state_size() } -> std::same_as<Index>;
  { ready.step(value, result, result) }
  noexcept;
};

}  // namespace strata
