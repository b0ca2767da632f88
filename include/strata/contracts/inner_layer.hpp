#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/error.hpp>

// How layers and streams that are made of other layers call them: a layer that strata::compiled
// holds by its tables, any other by its type.

namespace strata::detail {

template <class L>
struct PartsOfLayer {
  using Packed = typename L::Packed;
  using Tape = typename L::Tape;
};
template <class L>
struct PartsOfHeldLayer {
  using Packed = PackedStep<typename L::scalar_type>;
  using Tape = std::shared_ptr<void>;
};
template <class L>
struct PartsOfInner : std::conditional_t<is_held<L>, PartsOfHeldLayer<L>, PartsOfLayer<L>> {};

/// The packed weights of an inner layer.
template <class L>
using InnerPacked = typename PartsOfInner<L>::Packed;
/// The tape of an inner layer.
template <class L>
using InnerTape = typename PartsOfInner<L>::Tape;

/// Whether InnerPacked<L> has `skip`.
template <class L>
inline constexpr bool inner_skips = is_held<L> || L::traits.skip;

/// The functions of an inner layer that read or write packed weights and tapes.
template <class L>
[[nodiscard]] decltype(auto) inner(L& layer) {
  if constexpr (is_held<L>) {
    return CompleteRef<typename L::scalar_type>(const_cast<std::remove_const_t<L>&>(layer));
  } else {
    return (layer);
  }
}

/// Calls an inner layer's absorb where it has one.
template <class L>
void absorb(L& layer, InnerTape<L>& tape) {
  if constexpr (L::traits.absorb) inner(layer).absorb(tape);
}

/// Calls an inner layer's reduce where it has one.
template <class L>
void reduce(const L& layer, InnerPacked<L>& packed, const Execution& asked) {
  if constexpr (L::traits.reduce) inner(layer).reduce(packed, asked);
}

/// Throws ShapeError, naming layer number `number` among the inner layers, where it does not give
/// an output for each step, as a Conv1D with valid padding: the outer layer's mask would not fit.
template <class L>
void check_keeps_steps(std::size_t number, const L& layer) {
  if constexpr (L::traits.output_shape) {
    // More steps than any layer takes away.
    constexpr Index steps = sizes::largest;
    if (strata::output_shape(layer, Shape{1, steps, layer.inputs()})[1] == steps) return;
    messages::fail<ShapeError>({"its layer ", number, " (", layer.describe(),
                                ") must give an output for each step of its input"});
  }
}

/// The pass of layer number `layer` among the inner layers, whose state begins at `offset` of the
/// state of the outer layer. Its `learning` is that of the outer layer.
template <class Scalar>
[[nodiscard]] Pass<Scalar> inner_pass(const Pass<Scalar>& pass, std::size_t layer, Index offset) {
  const auto part = [offset](auto rows) {
    if (rows) rows.data += offset;
    return rows;
  };
  return {.random = pass.random.fork(layer),
          .mask = pass.mask,
          .continues = pass.continues,
          .learning = pass.learning,
          .initial_state = part(pass.initial_state),
          .final_state = part(pass.final_state),
          .final_derivative = part(pass.final_derivative),
          .initial_derivative = part(pass.initial_derivative),
          .meanwhile = pass.meanwhile};
}

}  // namespace strata::detail
