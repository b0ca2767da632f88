#pragma once

#if !__has_include(<nlohmann/json.hpp>)
#error \
    "strata::io needs nlohmann/json: install nlohmann-json3-dev (Debian, Ubuntu), json-devel (Fedora) or nlohmann-json (Homebrew), and link strata::io"
#endif

#include <nlohmann/json.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/io/common/plain_locale.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// JSON by the standard, strictly, and with bounds on depth and keys, since a file may be damaged or
// made to do harm.

namespace strata::inline STRATA_RUNTIME::io {

/// A JSON value whose objects keep the order of the keys in the file.
using Json = nlohmann::ordered_json;

/// JSON that is nested deeper is refused, so that no file makes a recursive function overflow the
/// stack.
inline constexpr int max_json_depth = 64;

/// Objects of more keys are refused, since ordered_json searches keys one by one and the time would
/// grow with the square of their number.
inline constexpr std::size_t max_json_keys = 10'000;

/// Builds a value from the events of nlohmann's parser, checks depth and keys on the way, and takes
/// time proportional to the text. nlohmann's parser callback could check too, but it goes through
/// the whole list around an object each time an object ends.
class JsonBuilder {
 public:
  JsonBuilder(const Where& where, int max_depth) : where_(&where), max_depth_(max_depth) {}

  [[nodiscard]] Json take() { return std::move(root_); }

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(Json::number_integer_t value) { return put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return put(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(Json::binary_t& value) { return put(std::move(value)); }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& key) {
    auto& known = open_.back().keys;
    if (known.size() >= max_json_keys) {
      where_->refuse("an object of the JSON has more than " + std::to_string(max_json_keys) +
                     " keys");
    }
    if (!known.insert(key).second) {
      where_->refuse("the JSON has the key " + in_quotes(key) + " twice in one object");
    }
    place_ = &(*open_.back().value)[key];
    return true;
  }

  [[noreturn]] bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    where_->refuse("this is not JSON: " + std::string(error.what()));
  }

 private:
  /// A list or an object that has not ended yet.
  struct Open {
    Json* value;
    std::set<std::string> keys;
  };

  template <class Value>
  bool put(Value&& value) {
    if (!open_.empty() && open_.back().value->is_array()) {
      open_.back().value->push_back(std::forward<Value>(value));
      place_ = &open_.back().value->back();
    } else {
      *place_ = std::forward<Value>(value);
    }
    return true;
  }
  bool open(Json value) {
    if (open_.size() >= static_cast<std::size_t>(max_depth_)) {
      where_->refuse("the JSON is nested deeper than " + std::to_string(max_depth_) + " levels");
    }
    put(std::move(value));
    open_.push_back({place_, {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  const Where* where_;
  int max_depth_;
  Json root_;
  /// Where the next value goes: the root, or the place of the last key. Not used inside a list,
  /// whose values are appended.
  Json* place_ = &root_;
  std::vector<Open> open_;
};

/// Parses a text that is one JSON value. Throws FormatError on anything that is not JSON, on text
/// after the value, on a key that is twice in one object, on numbers that a double cannot hold, and
/// on more than `max_depth` levels or max_json_keys keys.
[[nodiscard]] inline Json parse_json(std::string_view text, const Where& where,
                                     int max_depth = max_json_depth) {
  // nlohmann's parser reads numbers by strtod, which asks the locale for the decimal point.
  const PlainLocale numbers_have_points;
  JsonBuilder builder(where, max_depth);
  (void)Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

/// Parses a file that is one JSON object or list. Throws as parse_json does; a file that begins
/// with neither { nor [ is refused before the rest is read.
[[nodiscard]] inline Json read_json(const Source& from) {
  const auto head = from.head(64);
  const std::string_view begin(reinterpret_cast<const char*>(head.data()), head.size());
  const std::size_t first = begin.find_first_not_of(" \t\r\n");
  const bool is_marked = begin.starts_with("\xef\xbb\xbf");
  if (first != std::string_view::npos && begin[first] != '{' && begin[first] != '[' && !is_marked) {
    from.where().refuse("this is not JSON, which begins with { or [: found " +
                        in_quotes(begin.substr(first, 16)));
  }
  return parse_json(from.text(), from.where());
}

/// A value for messages: numbers, texts and the like as they are, objects and lists by their type.
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

/// A whole number from low to high. Throws FormatError on other numbers and other types; 2.0 counts
/// as no whole number.
[[nodiscard]] inline Index read_integer(const Json& json, const Where& where,
                                        Index low = (std::numeric_limits<Index>::min)(),
                                        Index high = (std::numeric_limits<Index>::max)()) {
  using Limits = std::numeric_limits<Index>;
  const bool too_large = json.is_number_unsigned() &&
                         json.get<std::uint64_t>() > static_cast<std::uint64_t>((Limits::max)());
  if (!json.is_number_integer() || too_large || json.get<std::int64_t>() < low ||
      json.get<std::int64_t>() > high) {
    std::string range;
    if (low != (Limits::min)()) range += " of at least " + std::to_string(low);
    if (high != (Limits::max)() || too_large) {
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

}  // namespace strata::inline STRATA_RUNTIME::io
