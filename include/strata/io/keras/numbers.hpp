#pragma once

#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/json.hpp>
#include <strata/io/common/json_numbers.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/object_reader.hpp>
#include <strata/io/common/where.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The numbers of a setting: one number, nested lists, or an array of NumPy as Keras 2.0 to 2.2
/// ({"type": "ndarray", "value": ...}) and later versions ({"class_name": "__numpy__", ...}) write
/// it. Throws FormatError on anything else.
[[nodiscard]] inline Numbers keras_numbers(const Json& json, const Where& where) {
  if (!json.is_object()) return numbers_of(json, where);
  const bool is_old = json.contains("type");
  const Json* array = &json;
  if (!is_old && json.contains("config")) array = &json["config"];
  if (!array->is_object() || !array->contains("value")) where.expected("numbers", "an object");
  return numbers_of((*array)["value"], where);
}

/// One number of a setting; `fallback` where the setting is missing.
[[nodiscard]] inline double keras_number(ObjectReader& config, const char* key, double fallback) {
  const Json* const found = config.find(key);
  if (!found) return fallback;
  const Numbers numbers = keras_numbers(*found, config.where(key));
  if (numbers.values.size() != 1) {
    config.where(key).expected("one number", std::to_string(numbers.values.size()));
  }
  return numbers.values[0];
}

/// The numbers of a setting that fits the last axis alone: one for all features, or one for each.
/// Sizes of 1 before the last axis change nothing. Throws FormatError on other sizes.
[[nodiscard]] inline std::vector<double> numbers_for_features(const Json& json,
                                                              const Where& where) {
  Numbers numbers = keras_numbers(json, where);
  if (numbers.values.size() != static_cast<std::size_t>(numbers.back())) {
    where.expected("one number for each feature",
                   "numbers of the sizes " + sizes_text(numbers.shape));
  }
  return std::move(numbers.values);
}

}  // namespace strata::inline STRATA_RUNTIME::io
