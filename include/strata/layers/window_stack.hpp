#pragma once

#include <concepts>
#include <tuple>
#include <utility>

#include <strata/contracts/layer.hpp>
#include <strata/layers/joined_stack.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The stack of a synthesis network (Graves 2013, Generating sequences with recurrent neural
/// networks, section 5): the first layer, a WindowLSTM, reads x and moves a window over a text;
/// layer n reads x, the output of layer n - 1 and the window; the output of the stack is the
/// outputs of all layers, side by side, without the window. (B, T, F) to (B, T, U0 + U1 + ...).
///
///   WindowStack{WindowLSTM{400, return_sequences, {.characters = 57, .length = 60}},
///               LSTM{400, return_sequences}, LSTM{400, return_sequences}}
///
/// The text is part of the state of the first layer: text_state makes a state of texts. The state
/// of a sequence is the states of the layers, one after the other. So are the parameters, with the
/// number of the layer before the name: "0.kernel", "1.kernel". The kernels of the layers above
/// read x, then the output of the layer before, then the window.
template <class First, class... Above>
class WindowStack : public detail::JoinedStack<std::tuple<First, Above...>,
                                               detail::StackReads::input_and_window> {
  static_assert(
      requires(const First& layer) { layer.window_features(); },
      "strata: the first layer of a WindowStack is a WindowLSTM");
  static_assert(((Above::accepts == Accepts::sequences || Above::accepts == Accepts::any) && ...),
                "strata: WindowStack is a stack of layers that take sequences");
  static_assert(First::returns != Returns::last && ((Above::returns != Returns::last) && ...),
                "strata: WindowStack joins the outputs of all layers at every step, but one of "
                "them returns one output per sequence; construct it with return_sequences");

  using Base =
      detail::JoinedStack<std::tuple<First, Above...>, detail::StackReads::input_and_window>;

 public:
  using Scalar = typename Base::Scalar;
  static_assert((std::same_as<Scalar, typename Above::scalar_type> && ...),
                "strata: all layers of WindowStack must have the same scalar type");

  /// Throws ShapeError, naming the layer, when the sizes do not fit.
  explicit WindowStack(First first, Above... above)
      : Base(window_first(std::move(first), std::move(above)...)) {}

  /// The same layer, weights included, with sizes chosen at run time and another scalar.
  template <class Other>
    requires requires(const First& first, const Above&... above) {
      first.template to_dynamic<Other>();
      (above.template to_dynamic<Other>(), ...);
    }
  [[nodiscard]] auto to_dynamic() const {
    return std::apply(
        [](const auto&... layer) {
          return WindowStack<decltype(layer.template to_dynamic<Other>())...>(
              layer.template to_dynamic<Other>()...);
        },
        this->layers());
  }

 private:
  [[nodiscard]] static Base window_first(First first, Above... above) {
    const Index window = first.window_features();
    return Base(std::tuple<First, Above...>(std::move(first), std::move(above)...), window);
  }
};

}  // namespace strata::inline STRATA_TARGET
