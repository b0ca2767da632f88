#pragma once

#include <array>
#include <tuple>
#include <type_traits>

#include <strata/contracts/layer.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class... Layers>
using FirstScalar = typename std::tuple_element_t<0, std::tuple<Layers...>>::scalar_type;

/// The data between two layers, as far as the types of the layers tell.
struct Joint {
  bool last_only = false;  ///< (B, F), one output for each sequence; otherwise it may be (B, T, F)
  Index features = Dynamic;  ///< F; Dynamic where it is chosen at run time
};

/// The data behind a layer L that is given the data `before`.
template <class L>
[[nodiscard]] constexpr Joint after(Joint before) {
  Joint joint = before;
  if (L::returns == Returns::last) joint.last_only = true;
  if (L::returns == Returns::sequence) joint.last_only = false;
  if (L::fixed_outputs != Dynamic) {
    joint.features = L::fixed_outputs;
  } else if (L::returns != Returns::same) {
    joint.features = Dynamic;
  }
  return joint;
}

template <Joint before, class L>
consteval void check_joint() {
  static_assert(!(before.last_only && L::accepts == Accepts::sequences),
                "strata: this layer expects sequences (B, T, F), but the layer before it returns "
                "one output per sequence; construct that one with return_sequences");
  static_assert(before.features == Dynamic || L::fixed_inputs == Dynamic ||
                    before.features == L::fixed_inputs,
                "strata: this layer's number of inputs is not the number of outputs of the layer "
                "before it");
}

template <Joint before, class First, class... Rest>
consteval bool check_joints() {
  check_joint<before, First>();
  if constexpr (sizeof...(Rest) > 0) {
    static_assert((std::is_same_v<typename First::scalar_type, typename Rest::scalar_type> && ...),
                  "strata: all layers of a Sequential must have the same scalar type");
    return check_joints<after<First>(before), Rest...>();
  }
  return true;
}

/// True; does not compile, with a message, where a layer cannot take the outputs of the layer
/// before it, or where the layers have different scalars.
template <class... Layers>
consteval bool joints_fit() {
  return check_joints<Joint{}, Layers...>();
}

}  // namespace strata::detail::inline STRATA_RUNTIME
