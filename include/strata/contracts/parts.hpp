#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/contracts/inner_layer.hpp>

namespace strata::detail {

// A layer made of other layers has a list with one part for each of them: packed weights, tapes,
// sizes. The list is a tuple where the layers' types are known at compile time, otherwise a vector;
// the loops of this header go over both.

template <class Layers>
struct Parts;

template <class... L>
struct Parts<std::tuple<L...>> {
  using Packed = std::tuple<InnerPacked<L>...>;
  using Tapes = std::tuple<InnerTape<L>...>;
  template <class T>
  using Each = std::array<T, sizeof...(L)>;
};

template <class L>
struct Parts<std::vector<L>> {
  using Packed = std::vector<InnerPacked<L>>;
  using Tapes = std::vector<InnerTape<L>>;
  template <class T>
  using Each = std::vector<T>;
};

template <class... T>
[[nodiscard]] constexpr std::size_t part_count(const std::tuple<T...>&) noexcept {
  return sizeof...(T);
}
template <class List>
[[nodiscard]] constexpr std::size_t part_count(const List& list) noexcept {
  return list.size();
}

template <std::size_t I, class... T>
[[nodiscard]] auto& part(std::tuple<T...>& parts, std::integral_constant<std::size_t, I>) noexcept {
  return std::get<I>(parts);
}
template <std::size_t I, class... T>
[[nodiscard]] const auto& part(const std::tuple<T...>& parts,
                               std::integral_constant<std::size_t, I>) noexcept {
  return std::get<I>(parts);
}
template <class List>
[[nodiscard]] auto& part(List& list, std::size_t i) noexcept {
  return list[i];
}

/// Gives a vector `count` parts. Tuples and arrays have their number of parts by their type.
template <class List>
void resize_parts(List& list, std::size_t count) {
  if constexpr (requires { list.resize(count); }) list.resize(count);
}

/// Calls f(i) for the number of each part, from the first to the last. For a tuple, i is a
/// constant.
template <class... T, class F>
void for_each_part(const std::tuple<T...>&, F f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::index_sequence_for<T...>{});
}
template <class T, class F>
void for_each_part(const std::vector<T>& list, F f) {
  for (std::size_t i = 0; i < list.size(); ++i) f(i);
}

/// Calls f(i) for the number of each part, from the last to the first.
template <class... T, class F>
void for_each_part_backward(const std::tuple<T...>&, F f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f(std::integral_constant<std::size_t, sizeof...(T) - 1 - I>{}), ...);
  }
  (std::index_sequence_for<T...>{});
}
template <class T, class F>
void for_each_part_backward(const std::vector<T>& list, F f) {
  for (std::size_t i = list.size(); i-- > 0;) f(i);
}

}  // namespace strata::detail
