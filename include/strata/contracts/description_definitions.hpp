#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/contracts/option_value.hpp>
#include <strata/target.hpp>

namespace strata {

STRATA_INLINE OptionValue::OptionValue(const OptionValue&) = default;
STRATA_INLINE OptionValue::OptionValue(OptionValue&&) noexcept = default;
STRATA_INLINE OptionValue& OptionValue::operator=(const OptionValue&) = default;
STRATA_INLINE OptionValue& OptionValue::operator=(OptionValue&&) noexcept = default;
STRATA_INLINE OptionValue::~OptionValue() = default;

STRATA_INLINE LayerDescription::LayerDescription(std::string kind_name)
    : kind(std::move(kind_name)) {}
STRATA_INLINE LayerDescription::LayerDescription(const LayerDescription&) = default;
STRATA_INLINE LayerDescription::LayerDescription(LayerDescription&&) noexcept = default;
STRATA_INLINE LayerDescription& LayerDescription::operator=(const LayerDescription&) = default;
STRATA_INLINE LayerDescription& LayerDescription::operator=(LayerDescription&&) noexcept = default;
STRATA_INLINE LayerDescription::~LayerDescription() = default;

STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, OptionValue value) {
  options.emplace_back(name, std::move(value));
  return *this;
}

STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, bool value) {
  return add(name, OptionValue(value));
}
STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, double value) {
  return add(name, OptionValue(value));
}
STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, Index value) {
  return add(name, OptionValue(value));
}
STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, const Initializer& value) {
  return add(name, OptionValue(value));
}

STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, Activation activation) {
  return add(name, std::string(strata::name(activation)));
}

STRATA_INLINE LayerDescription& LayerDescription::add(const char* name, Padding padding) {
  return add(name, std::string(strata::name(padding)));
}

STRATA_INLINE LayerDescription& LayerDescription::add_first(const char* name, OptionValue value) {
  options.emplace(options.begin(), name, std::move(value));
  return *this;
}

STRATA_INLINE LayerDescription& LayerDescription::add_layer(LayerDescription layer) {
  layers.push_back(std::move(layer));
  return *this;
}

STRATA_INLINE const OptionValue* LayerDescription::find(std::string_view name) const noexcept {
  for (const auto& [known, value] : options) {
    if (known == name) return &value;
  }
  return nullptr;
}

STRATA_INLINE OptionValue& LayerDescription::option(std::string_view name) {
  for (auto& [known, value] : options) {
    if (known == name) return value;
  }
  return options.emplace_back(name, false).second;
}

}  // namespace strata
