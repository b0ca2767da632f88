#pragma once

#include <array>
#include <tuple>
#include <type_traits>

#include <strata/contracts/layer.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET::detail {

template <class... Layers>
using FirstScalar = typename std::tuple_element_t<0, std::tuple<Layers...>>::scalar_type;

/// What is known while compiling of the data between two layers.
struct Joint {
  bool last_only = false;  ///< one output per sequence: not a sequence any more
  Index features = Dynamic;
};

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

/// Fails to compile, with a message, where two neighbours do not join.
template <class... Layers>
consteval bool joints_fit() {
  return check_joints<Joint{}, Layers...>();
}

}  // namespace strata::inline STRATA_TARGET::detail
