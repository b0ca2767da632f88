#pragma once

#include <concepts>
#include <initializer_list>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// Reads a JSON object key by key, and refuses at the end the keys that nobody asked for:
///
///   ObjectReader config(json, where.in("config"));
///   const Index units = config.integer("units", 1);
///   const bool bias = config.get<bool>("use_bias", true);
///   config.require("activity_regularizer", nullptr);   // strata has no other value
///   config.ignore({"name", "dtype"});                  // the model's output does not depend on
///   them config.finish();                                   // FormatError on any other key
class ObjectReader {
 public:
  /// The JSON must outlive the reader. Throws FormatError unless it is an object.
  ObjectReader(const Json& json, Where where) : json_(&json), where_(std::move(where)) {
    if (!json.is_object()) where_.expected("an object", found_text(json));
  }

  [[nodiscard]] const Where& where() const noexcept { return where_; }
  [[nodiscard]] Where where(const std::string& key) const { return where_.in(key); }

  [[nodiscard]] bool contains(const std::string& key) const { return json_->contains(key); }

  /// The value of a key, of any type. Throws FormatError when the object does not have the key.
  [[nodiscard]] const Json& raw(const std::string& key) {
    const auto found = json_->find(key);
    if (found == json_->end()) where(key).refuse("is missing");
    read_.insert(key);
    return *found;
  }
  /// The value of a key, of any type; null when the object does not have the key.
  [[nodiscard]] const Json* find(const std::string& key) {
    return contains(key) ? &raw(key) : nullptr;
  }

  /// The value of a key as a bool, double, std::string or std::vector<Index>. Throws FormatError
  /// when the key is missing, unless there is a `fallback`, and when the value is of another type.
  template <class T>
  [[nodiscard]] T get(const std::string& key) {
    const Json& value = raw(key);
    if constexpr (std::same_as<T, bool>) {
      return read_bool(value, where(key));
    } else if constexpr (std::floating_point<T>) {
      return static_cast<T>(read_number(value, where(key)));
    } else if constexpr (std::same_as<T, std::string>) {
      return read_string(value, where(key));
    } else {
      static_assert(std::same_as<T, std::vector<Index>>,
                    "strata: ObjectReader::get reads bool, double, std::string and "
                    "std::vector<Index>; integer reads whole numbers");
      T list;
      for (const Json& one : read_list(value, where(key))) {
        list.push_back(read_integer(one, where(key)));
      }
      return list;
    }
  }
  template <class T>
  [[nodiscard]] T get(const std::string& key, T fallback) {
    return contains(key) ? get<T>(key) : std::move(fallback);
  }

  /// A whole number from low to high. Throws FormatError when the key is missing and on other
  /// values.
  [[nodiscard]] Index integer(const std::string& key,
                              Index low = (std::numeric_limits<Index>::min)(),
                              Index high = (std::numeric_limits<Index>::max)()) {
    return read_integer(raw(key), where(key), low, high);
  }

  [[nodiscard]] ObjectReader object(const std::string& key) { return {raw(key), where(key)}; }

  /// Throws FormatError when the object has the key with another value than the only one that
  /// strata can compute with.
  void require(const std::string& key, const Json& value) {
    const Json* found = find(key);
    if (found && *found != value) where(key).expected(value.dump(), found_text(*found));
  }

  /// Lets `finish` pass keys on which the model's output does not depend.
  void ignore(std::initializer_list<const char*> keys) {
    for (const char* key : keys) read_.insert(key);
  }

  /// Throws FormatError, with the names of the keys that nobody asked for, if there are any.
  void finish() const {
    std::vector<std::string> unknown;
    for (const auto& [key, value] : json_->items()) {
      if (!read_.contains(key)) unknown.push_back(in_quotes(key) + " (" + found_text(value) + ")");
    }
    if (!unknown.empty()) where_.refuse("these settings are not known: " + list_text(unknown));
  }

 private:
  const Json* json_;
  Where where_;
  std::set<std::string> read_;
};

}  // namespace strata::inline STRATA_RUNTIME::io
