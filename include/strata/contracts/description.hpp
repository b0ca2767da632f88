#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/initializers.hpp>
#include <strata/shape.hpp>

namespace strata {

/// What a layer is made of besides its weights, by names: all that is needed to build it anew.
/// Files keep it.
///
/// A layer brings one by `description() const`; detail::OptionLayer has it for recurrent layers.
/// Options are structs with a function that lists them,
///
///   template <class Self, class F>
///   static void each(Self& self, F f) { f("rate", self.rate); ... }
struct LayerDescription {
  using Value = std::variant<bool, Index, double, std::string, std::vector<Index>, Initializer,
                             std::vector<double>>;

  std::string kind;
  /// Sizes first, then options, in the order in which the layer's constructor and structs have
  /// them.
  std::vector<std::pair<std::string, Value>> options = {};
  /// The layers that it is made of.
  std::vector<LayerDescription> layers = {};
  /// Whether this is all there is to know. False for layers that do not describe themselves.
  bool complete = true;

  [[gnu::noinline]] LayerDescription& add(const char* name, Value value) {
    options.emplace_back(name, std::move(value));
    return *this;
  }
  LayerDescription& add(const char* name, Activation activation) {
    return add(name, std::string(strata::name(activation)));
  }
  /// Nothing where there is no value.
  LayerDescription& add(const char* name, const std::optional<Activation>& activation) {
    return activation ? add(name, *activation) : *this;
  }

  /// Every option of a struct.
  template <class Options>
  LayerDescription& add_all(const Options& all) {
    Options::each(all, [this](const char* name, const auto& value) { this->add(name, value); });
    return *this;
  }

  /// The value, or null when there is none of this name.
  [[nodiscard]] const Value* find(std::string_view name) const noexcept {
    for (const auto& [known, value] : options) {
      if (known == name) return &value;
    }
    return nullptr;
  }
  /// The value where it is a T, or null when there is none of this name and type.
  template <class T>
  [[nodiscard]] const T* find(std::string_view name) const noexcept {
    return std::get_if<T>(find(name));
  }
  /// The value, to be changed. An option that is not there yet is added, as false.
  [[nodiscard]] Value& option(std::string_view name) {
    for (auto& [known, value] : options) {
      if (known == name) return value;
    }
    return options.emplace_back(name, false).second;
  }
};

}  // namespace strata

namespace strata::detail {

/// What any layer says of itself.
template <class L>
[[nodiscard]] LayerDescription describe_layer(const L& layer) {
  if constexpr (requires { layer.description(); }) {
    return layer.description();
  } else {
    return {.kind = layer.kind(), .complete = false};
  }
}

}  // namespace strata::detail
