#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The activation of a name. Throws FormatError, with the names of all activations, when there is
/// no activation of this name.
[[nodiscard]] Activation activation_of(std::string_view text, const Where& where);

/// Reads the options of a LayerDescription one by one, and refuses at the end the options that
/// nobody asked for. An option that is missing keeps its default, so that files stay readable when
/// layers gain options.
class OptionReader {
 public:
  /// The description must outlive the reader.
  OptionReader(const LayerDescription& description, Where where);

  [[nodiscard]] const LayerDescription& description() const noexcept { return *description_; }
  [[nodiscard]] const Where& where() const noexcept { return where_; }

  /// Sets `to` to the option, or leaves it where there is no such option. Throws FormatError when
  /// the option is of another type.
  void read(const char* name, bool& to) { read_as(name, to, "true or false"); }
  void read(const char* name, Index& to) { read_as(name, to, "a whole number"); }
  template <std::same_as<int> Whole>
    requires(!std::same_as<int, Index>)
  void read(const char* name, Whole& to) {
    Index whole = to;
    read(name, whole);
    to = static_cast<int>(whole);
    if (to != whole) where_.in(name).expected("a small whole number", std::to_string(whole));
  }
  void read(const char* name, std::string& to) { read_as(name, to, "a text"); }
  void read(const char* name, std::vector<Index>& to) { read_as(name, to, "whole numbers"); }
  void read(const char* name, std::vector<double>& to);
  void read(const char* name, Initializer& to) { read_as(name, to, "an initializer"); }
  void read(const char* name, double& to);
  void read(const char* name, Activation& to);
  void read(const char* name, Padding& to);
  template <class T>
  void read(const char* name, std::optional<T>& to) {
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
  [[nodiscard]] Index size(const char* name);

  /// Throws FormatError when there are options that nobody asked for.
  void finish() const;

  /// Small enough that the product of two sizes does not overflow.
  static constexpr Index max_size = Index{1} << 24;

 private:
  [[nodiscard]] const OptionValue* take(const char* name);

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
  /// The names of the options that were asked for.
  std::vector<std::string> read_;
};

}  // namespace strata::inline STRATA_RUNTIME::io

#ifndef STRATA_COMPILED
#include <strata/io/common/option_reader_definitions.hpp>
#endif
