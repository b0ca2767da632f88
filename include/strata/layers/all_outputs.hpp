#pragma once

#include <concepts>
#include <tuple>
#include <utility>

#include <strata/contracts/layer.hpp>
#include <strata/layers/joined_stack.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// A stack of which all layers are read out (Hermans & Schrauwen 2013, "all outputs"): layer n
/// reads the output of layer n - 1; the output of the stack is the outputs of all layers, side by
/// side. (B, T, F) to (B, T, U0 + U1 + ...).
///
///   Sequential model{AllOutputs{LSTM{73, return_sequences}, LSTM{73, return_sequences}},
///   Dense{96}};
///
/// The state of a sequence is the states of the layers, one after the other. So are the parameters,
/// with the number of the layer before the name: "0.kernel", "1.kernel".
template <class... Layers>
class AllOutputs : public detail::JoinedStack<std::tuple<Layers...>, detail::StackReads::outputs> {
  static_assert(sizeof...(Layers) > 0, "strata: AllOutputs needs a layer");
  static_assert(((Layers::accepts == Accepts::sequences || Layers::accepts == Accepts::any) && ...),
                "strata: AllOutputs is a stack of layers that take sequences");
  static_assert(((Layers::returns != Returns::last) && ...),
                "strata: AllOutputs joins the outputs of all layers at every step, but one of "
                "them returns one output per sequence; construct it with return_sequences");

  using Base = detail::JoinedStack<std::tuple<Layers...>, detail::StackReads::outputs>;

 public:
  using Scalar = typename Base::Scalar;
  static_assert((std::same_as<Scalar, typename Layers::scalar_type> && ...),
                "strata: all layers of AllOutputs must have the same scalar type");

  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  explicit AllOutputs(Layers... layers) : Base(std::tuple<Layers...>(std::move(layers)...)) {}
  AllOutputs() requires(std::default_initializable<Layers>&&...) : AllOutputs(Layers()...) {}

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const Layers&... layers) { (layers.template to_dynamic<Other>(), ...); }
  [[nodiscard]] auto to_dynamic() const {
    return std::apply(
        [](const auto&... layer) {
          return AllOutputs<decltype(layer.template to_dynamic<Other>())...>(
              layer.template to_dynamic<Other>()...);
        },
        this->layers());
  }
};

}  // namespace strata::inline STRATA_TARGET
