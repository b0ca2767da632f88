#pragma once

#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include <strata/layers/layer.hpp>
#include <strata/model/any_layer.hpp>

// The layers of a model, and what belongs to each of them, are lists of equal length: tuples when
// the layers are chosen at compile time, vectors when they are chosen at run time. These loops are
// all that the algorithms need to know of the difference.

namespace strata::detail {

template <class List>
struct LayerList;

template <class... Layers>
struct LayerList<std::tuple<Layers...>> {
  using Scalar = typename std::tuple_element_t<0, std::tuple<Layers...>>::scalar_type;
  using Packed = std::tuple<typename Layers::Packed...>;
  using Tapes = std::tuple<typename Layers::Tape...>;
};

template <class S>
struct LayerList<std::vector<AnyLayer<S>>> {
  using Scalar = S;
  using Packed = std::vector<typename AnyLayer<S>::Packed>;
  using Tapes = std::vector<typename AnyLayer<S>::Tape>;
};

template <class... T>
[[nodiscard]] constexpr std::size_t length(const std::tuple<T...>&) {
  return sizeof...(T);
}
template <class T>
[[nodiscard]] std::size_t length(const std::vector<T>& list) {
  return list.size();
}

/// Makes a list as long as the list of layers; a tuple is that already.
template <class... T, class List>
void fit_length(std::tuple<T...>&, const List&) {}
template <class T, class List>
void fit_length(std::vector<T>& list, const List& layers) {
  list.resize(layers.size());
}

template <std::size_t I, class... T>
[[nodiscard]] auto& item(std::tuple<T...>& list) {
  return std::get<I>(list);
}
template <std::size_t I, class... T>
[[nodiscard]] const auto& item(const std::tuple<T...>& list) {
  return std::get<I>(list);
}
template <std::size_t I, class T>
[[nodiscard]] T& item(std::vector<T>& list) {
  return list[I];
}

/// f(i, list[i]...) for all i, from the first. The lists are as long as the first, which may be a
/// tuple while others are vectors.
template <class F, class First, class... Lists>
  requires requires { std::tuple_size<First>::value; }
void for_each(F f, First& first, Lists&... lists) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto call = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
      f(J, item<J>(first), item<J>(lists)...);
    };
    (call(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<First>>{});
}
template <class F, class T, class... Lists>
void for_each(F f, std::vector<T>& first, Lists&... lists) {
  for (std::size_t i = 0; i < first.size(); ++i) f(i, first[i], lists[i]...);
}
template <class F, class T, class... Lists>
void for_each(F f, const std::vector<T>& first, Lists&... lists) {
  for (std::size_t i = 0; i < first.size(); ++i) f(i, first[i], lists[i]...);
}

/// f(i, list[i]...) for all i, from the last.
template <class F, class... T, class... Lists>
void for_each_reversed(F f, const std::tuple<T...>& first, Lists&... lists) {
  constexpr std::size_t count = sizeof...(T);
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto call = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
      f(J, item<J>(first), item<J>(lists)...);
    };
    (call(std::integral_constant<std::size_t, count - 1 - I>{}), ...);
  }
  (std::make_index_sequence<count>{});
}
template <class F, class T, class... Lists>
void for_each_reversed(F f, const std::vector<T>& first, Lists&... lists) {
  for (std::size_t i = first.size(); i-- > 0;) f(i, first[i], lists[i]...);
}

template <class L>
[[nodiscard]] Accepts accepts(const L&) {
  return L::accepts;
}
template <class S>
[[nodiscard]] Accepts accepts(const AnyLayer<S>& layer) {
  return layer.accepts_input();
}
template <class L>
[[nodiscard]] Returns returns(const L&) {
  return L::returns;
}
template <class S>
[[nodiscard]] Returns returns(const AnyLayer<S>& layer) {
  return layer.returns_output();
}

/// The parameters of a layer that is only read.
template <class L>
[[nodiscard]] std::vector<Parameter<const typename L::scalar_type>> parameters_of(const L& layer) {
  std::vector<Parameter<const typename L::scalar_type>> list;
  // Listing changes nothing, and what it lists is handed on as const.
  for (auto& parameter : const_cast<L&>(layer).parameters()) {
    list.push_back({parameter.name, parameter.shape, parameter.values});
  }
  return list;
}

template <class L>
[[nodiscard]] Index parameter_count(const L& layer) {
  Index count = 0;
  for (const auto& parameter : parameters_of(layer)) count += parameter.shape.size();
  return count;
}

}  // namespace strata::detail
