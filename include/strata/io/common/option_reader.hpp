#pragma once

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The activation of a name. Throws FormatError, with the names of all activations, when there is
/// no activation of this name.
[[nodiscard]] inline Activation activation_of(std::string_view text, const Where& where) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Activation::softmax); ++i) {
    const auto activation = static_cast<Activation>(i);
    if (text == name(activation)) return activation;
    names.emplace_back(name(activation));
  }
  where.expected("one of " + list_text(names), in_quotes(text));
}

/// Reads the options of a LayerDescription one by one, and refuses at the end the options that
/// nobody asked for. An option that is missing keeps its default, so that files stay readable when
/// layers gain options.
class OptionReader {
 public:
  /// The description must outlive the reader.
  OptionReader(const LayerDescription& description, Where where)
      : description_(&description), where_(std::move(where)) {}

  [[nodiscard]] const LayerDescription& description() const noexcept { return *description_; }
  [[nodiscard]] const Where& where() const noexcept { return where_; }

  /// Sets `to` to the option, or leaves it where there is no such option. Throws FormatError when
  /// the option is of another type.
  void read(const char* name, bool& to) { read_as(name, to, "true or false"); }
  void read(const char* name, Index& to) { read_as(name, to, "a whole number"); }
  void read(const char* name, int& to) {
    Index whole = to;
    read(name, whole);
    if (whole != static_cast<int>(whole)) {
      where_.in(name).expected("a small whole number", std::to_string(whole));
    }
    to = static_cast<int>(whole);
  }
  void read(const char* name, std::string& to) { read_as(name, to, "a text"); }
  void read(const char* name, std::vector<Index>& to) { read_as(name, to, "whole numbers"); }
  void read(const char* name, std::vector<double>& to) {
    const OptionValue* value = take(name);
    if (!value) return;
    if (const auto* whole = value->get_if<std::vector<Index>>()) {
      to.assign(whole->begin(), whole->end());
    } else {
      to = as<std::vector<double>>(*value, name, "numbers");
    }
  }
  void read(const char* name, Initializer& to) { read_as(name, to, "an initializer"); }
  void read(const char* name, double& to) {
    const OptionValue* value = take(name);
    if (!value) return;
    if (const auto* whole = value->get_if<Index>()) {
      to = static_cast<double>(*whole);
    } else {
      to = as<double>(*value, name, "a number");
    }
  }
  void read(const char* name, Activation& to) {
    std::string text(strata::name(to));
    read(name, text);
    to = activation_of(text, where_.in(name));
  }
  void read(const char* name, std::optional<Activation>& to) {
    if (description_->find(name)) read(name, to.emplace());
  }

  /// Reads every option of a struct that has a function `each`. An option that is missing keeps its
  /// value in `options`.
  template <class Options>
  [[nodiscard]] Options all(Options options = {}) {
    Options::each(options, [this](const char* name, auto& value) { this->read(name, value); });
    return options;
  }

  /// The value of an option. Throws FormatError when the option is missing or of another type.
  template <class T>
  [[nodiscard]] T get(const char* name) {
    if (!description_->find(name)) where_.in(name).refuse("is missing");
    T value{};
    read(name, value);
    return value;
  }

  /// A size from 1 to max_size. Throws FormatError when the option is missing and on other values.
  [[nodiscard]] Index size(const char* name) {
    const Index value = get<Index>(name);
    if (value < 1 || value > max_size) {
      where_.in(name).expected("a size from 1 to " + std::to_string(max_size),
                               std::to_string(value));
    }
    return value;
  }

  /// Throws FormatError when there are options that nobody asked for.
  void finish() const {
    std::vector<std::string> unknown;
    for (const auto& [name, value] : description_->options) {
      if (!read_.contains(name)) unknown.push_back(in_quotes(name));
    }
    if (!unknown.empty()) where_.refuse("these settings are not known: " + list_text(unknown));
  }

  /// Small enough that the product of two sizes does not overflow.
  static constexpr Index max_size = Index{1} << 24;

 private:
  [[nodiscard]] const OptionValue* take(const char* name) {
    read_.insert(name);
    return description_->find(name);
  }

  template <class T>
  [[nodiscard]] const T& as(const OptionValue& value, const char* name,
                            const char* expected) const {
    const T* found = value.get_if<T>();
    if (!found) where_.in(name).expected(expected, "another type");
    return *found;
  }

  template <class T>
  void read_as(const char* name, T& to, const char* expected) {
    if (const auto* value = take(name)) to = as<T>(*value, name, expected);
  }

  const LayerDescription* description_;
  Where where_;
  std::set<std::string> read_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
