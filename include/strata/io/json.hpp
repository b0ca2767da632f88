#pragma once

#if !__has_include(<nlohmann/json.hpp>)
#error \
    "strata::io needs nlohmann/json: install nlohmann-json3-dev (Debian, Ubuntu), json-devel (Fedora) or nlohmann-json (Homebrew), and link strata::io"
#endif

#include <nlohmann/json.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <strata/io/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// JSON as strictly as the standard has it, and bounded, whoever wrote it.

namespace strata::inline STRATA_TARGET::io {

/// Objects keep the order of the file.
using Json = nlohmann::ordered_json;

/// JSON that is nested deeper is refused, so that nothing recurses as deep as a file likes.
inline constexpr int max_json_depth = 64;

/// Objects of more keys are refused: their keys are searched one by one.
inline constexpr std::size_t max_json_keys = 10'000;

/// The value that a text is. Throws FormatError on what is no JSON, on anything after it, on a key
/// that an object has twice, on numbers that a double cannot hold, and on too deep nesting.
[[nodiscard]] inline Json parse_json(std::string_view text, const Where& where,
                                     int max_depth = max_json_depth) {
  std::vector<std::set<std::string>> keys;
  const Json::parser_callback_t check = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= max_depth) {
        where.refuse("the JSON is nested deeper than " + std::to_string(max_depth) + " levels");
      }
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end ||
               event == Json::parse_event_t::array_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (keys.back().size() >= max_json_keys) {
        where.refuse("an object of the JSON has more than " + std::to_string(max_json_keys) +
                     " keys");
      }
      if (!keys.back().insert(key).second) {
        where.refuse("the JSON has the key " + in_quotes(key) + " twice in one object");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::exception& error) {
    where.refuse("this is not JSON: " + std::string(error.what()));
  }
}

/// What a value is, for messages: its type, and its value where that is short.
[[nodiscard]] inline std::string found_text(const Json& json) {
  if (json.is_string()) return in_quotes(json.get_ref<const std::string&>());
  if (json.is_object()) return "an object";
  if (json.is_array()) return "a list of " + std::to_string(json.size());
  return json.dump();
}

[[nodiscard]] inline bool read_bool(const Json& json, const Where& where) {
  if (!json.is_boolean()) where.expected("true or false", found_text(json));
  return json.get<bool>();
}

/// A whole number, written as one, from low to high.
[[nodiscard]] inline Index read_integer(const Json& json, const Where& where,
                                        Index low = std::numeric_limits<Index>::min(),
                                        Index high = std::numeric_limits<Index>::max()) {
  const bool too_large =
      json.is_number_unsigned() &&
      json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  if (!json.is_number_integer() || too_large || json.get<Index>() < low ||
      json.get<Index>() > high) {
    std::string range;
    if (low != std::numeric_limits<Index>::min()) range += " of at least " + std::to_string(low);
    if (high != std::numeric_limits<Index>::max()) {
      range += (range.empty() ? " of" : " and") + std::string(" at most ") + std::to_string(high);
    }
    where.expected("a whole number" + range, found_text(json));
  }
  return json.get<Index>();
}

[[nodiscard]] inline double read_number(const Json& json, const Where& where) {
  if (!json.is_number()) where.expected("a number", found_text(json));
  return json.get<double>();
}

[[nodiscard]] inline const std::string& read_string(const Json& json, const Where& where) {
  if (!json.is_string()) where.expected("a text", found_text(json));
  return json.get_ref<const std::string&>();
}

[[nodiscard]] inline const Json& read_list(const Json& json, const Where& where) {
  if (!json.is_array()) where.expected("a list", found_text(json));
  return json;
}

}  // namespace strata::inline STRATA_TARGET::io
