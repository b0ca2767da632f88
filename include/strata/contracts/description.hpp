#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/option_value.hpp>
#include <strata/initializers.hpp>
#include <strata/padding.hpp>
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
  // Not inline, since every program would compile them for the lists.
  LayerDescription(std::string kind_name = {});
  LayerDescription(const LayerDescription& other);
  LayerDescription(LayerDescription&& other) noexcept;
  LayerDescription& operator=(const LayerDescription& other);
  LayerDescription& operator=(LayerDescription&& other) noexcept;
  ~LayerDescription();

  std::string kind;
  /// Sizes first, then options, in the order in which the layer's constructor and structs have
  /// them.
  std::vector<std::pair<std::string, OptionValue>> options;
  /// The layers that it is made of.
  std::vector<LayerDescription> layers;
  /// Whether this is all there is to know. False for layers that do not describe themselves.
  bool complete = true;

  LayerDescription& add(const char* name, OptionValue value);
  // The usual types have functions of their own, so that a layer's list compiles no conversions.
  LayerDescription& add(const char* name, bool value);
  LayerDescription& add(const char* name, double value);
  LayerDescription& add(const char* name, Index value);
  template <std::integral Number>
  LayerDescription& add(const char* name, Number value) {
    return add(name, static_cast<Index>(value));
  }
  LayerDescription& add(const char* name, const Initializer& value);
  LayerDescription& add(const char* name, Activation activation);
  LayerDescription& add(const char* name, Padding padding);
  /// Nothing where there is no value.
  template <class T>
  LayerDescription& add(const char* name, const std::optional<T>& value) {
    return value ? add(name, *value) : *this;
  }
  /// Adds an option before all others.
  LayerDescription& add_first(const char* name, OptionValue value);

  /// Every option of a struct.
  template <class Options>
  LayerDescription& add_all(const Options& all) {
    Options::each(all, [this](const char* name, const auto& value) { this->add(name, value); });
    return *this;
  }
  LayerDescription& add_layer(LayerDescription layer);

  /// The value, or null when there is none of this name.
  [[nodiscard]] const OptionValue* find(std::string_view name) const noexcept;
  /// The value where it is a T, or null when there is none of this name and type.
  template <class T>
  [[nodiscard]] const T* find(std::string_view name) const noexcept {
    const OptionValue* const value = find(name);
    return value ? value->get_if<T>() : nullptr;
  }
  /// The value, to be changed. An option that is not there yet is added, as false.
  [[nodiscard]] OptionValue& option(std::string_view name);
};

}  // namespace strata

namespace strata::detail {

/// What any layer says of itself.
template <class L>
[[nodiscard]] LayerDescription describe_layer(const L& layer) {
  if constexpr (requires { layer.description(); }) {
    return layer.description();
  } else {
    LayerDescription description(layer.kind());
    description.complete = false;
    return description;
  }
}

}  // namespace strata::detail

#ifndef STRATA_COMPILED
#include <strata/contracts/description_definitions.hpp>
#endif
