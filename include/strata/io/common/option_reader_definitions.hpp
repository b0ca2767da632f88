#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/option_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/padding.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

STRATA_INLINE Activation activation_of(std::string_view text, const Where& where) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Activation::softmax); ++i) {
    const auto activation = static_cast<Activation>(i);
    if (text == name(activation)) return activation;
    names.emplace_back(name(activation));
  }
  where.expected("one of " + list_text(names), in_quotes(text));
}

STRATA_INLINE OptionReader::OptionReader(const LayerDescription& description, Where where)
    : description_(&description), where_(std::move(where)) {}

STRATA_INLINE void OptionReader::read(const char* name, std::vector<double>& to) {
  const OptionValue* value = take(name);
  if (!value) return;
  if (const auto* whole = value->get_if<std::vector<Index>>()) {
    to.assign(whole->begin(), whole->end());
  } else {
    to = as<std::vector<double>>(*value, name, "numbers");
  }
}

STRATA_INLINE void OptionReader::read(const char* name, double& to) {
  const OptionValue* value = take(name);
  if (!value) return;
  if (const auto* whole = value->get_if<Index>()) {
    to = static_cast<double>(*whole);
  } else {
    to = as<double>(*value, name, "a number");
  }
}

STRATA_INLINE void OptionReader::read(const char* name, Activation& to) {
  std::string text(strata::name(to));
  read(name, text);
  to = activation_of(text, where_.in(name));
}

STRATA_INLINE void OptionReader::read(const char* name, Padding& to) {
  std::string text(strata::name(to));
  read(name, text);
  for (const Padding padding : {Padding::valid, Padding::causal}) {
    if (text == strata::name(padding)) {
      to = padding;
      return;
    }
  }
  where_.in(name).expected("valid or causal", in_quotes(text));
}

STRATA_INLINE Index OptionReader::size(const char* name) {
  const Index value = get<Index>(name);
  if (value < 1 || value > max_size) {
    where_.in(name).expected("a size from 1 to " + std::to_string(max_size), std::to_string(value));
  }
  return value;
}

STRATA_INLINE void OptionReader::finish() const {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : description_->options) {
    if (std::find(read_.begin(), read_.end(), name) == read_.end()) {
      unknown.push_back(in_quotes(name));
    }
  }
  if (!unknown.empty()) where_.refuse("these settings are not known: " + list_text(unknown));
}

STRATA_INLINE const OptionValue* OptionReader::take(const char* name) {
  read_.emplace_back(name);
  return description_->find(name);
}

}  // namespace strata::inline STRATA_RUNTIME::io
