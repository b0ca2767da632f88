#pragma once

#include <concepts>
#include <tuple>
#include <utility>

#include <strata/contracts/layer.hpp>
#include <strata/layers/layer_chain.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Layers one behind the other as one layer, such as the branch of a Residual. Each keeps the rank
/// of its input: (B, T, F) to (B, T, U), for some layers also (B, F) to (B, U).
///
///   Residual{Chain{Dense{64, {.activation = Activation::relu}}, Dropout{0.2}, Dense{16}}}
///
/// The state of a sequence is the states of the layers, one after the other. So are the parameters,
/// with the number of the layer before the name: "0.kernel", "1.kernel".
template <class... Layers>
class Chain : public detail::LayerChain<std::tuple<Layers...>> {
  static_assert(sizeof...(Layers) > 0, "strata: Chain needs a layer");
  static_assert(((Layers::accepts == Accepts::sequences || Layers::accepts == Accepts::any) && ...),
                "strata: Chain holds layers that take sequences");
  static_assert(((Layers::returns != Returns::last) && ...),
                "strata: Chain holds layers that return sequences, but one of them returns one "
                "output per sequence; construct it with return_sequences");
  static_assert(((!Layers::traits.makes_mask) && ...),
                "strata: Chain holds no layer that makes a mask; put it before the chain");

  using Base = detail::LayerChain<std::tuple<Layers...>>;

 public:
  using Scalar = typename Base::Scalar;
  static_assert((std::same_as<Scalar, typename Layers::scalar_type> && ...),
                "strata: all layers of Chain must have the same scalar type");

  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  explicit Chain(Layers... layers) : Base(std::tuple<Layers...>(std::move(layers)...)) {}
  Chain() requires(std::default_initializable<Layers>&&...) : Chain(Layers()...) {}

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const Layers&... layers) { (layers.template to_dynamic<Other>(), ...); }
  [[nodiscard]] auto to_dynamic() const {
    return std::apply(
        [](const auto&... layer) {
          return Chain<decltype(layer.template to_dynamic<Other>())...>(
              layer.template to_dynamic<Other>()...);
        },
        this->layers());
  }
};

}  // namespace strata::inline STRATA_TARGET
