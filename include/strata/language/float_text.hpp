#pragma once

#include <charconv>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

// Numbers as text, as std::to_chars writes them. libc++ has it for them from release 14 on only,
// and its tables take 100 KB, which small processors, whose C library is newlib, have not to spare.
// There the C library writes them.

namespace strata::detail {

#if (defined(_LIBCPP_VERSION) && _LIBCPP_VERSION < 14000) || defined(__NEWLIB__)

/// By printf, with the decimal point of the program's locale.
[[nodiscard]] inline std::string local_float_text(double value, std::chars_format format,
                                                  int precision) {
  const char* const pattern = format == std::chars_format::fixed        ? "%.*f"
                              : format == std::chars_format::scientific ? "%.*e"
                                                                        : "%.*g";
  char text[512];
  const int length = std::snprintf(text, sizeof text, pattern, precision, value);
  return {text, static_cast<std::size_t>(length)};
}

[[nodiscard]] inline std::string with_plain_point(std::string text) {
  const std::string point = std::localeconv()->decimal_point;
  if (const auto at = text.find(point); at != std::string::npos) {
    text.replace(at, point.size(), ".");
  }
  return text;
}

[[nodiscard]] inline std::string float_text(double value, std::chars_format format, int precision) {
  return with_plain_point(local_float_text(value, format, precision));
}

template <class Scalar>
[[nodiscard]] std::string shortest_float_text(Scalar value, std::chars_format format) {
  std::string text;
  constexpr int most = -std::numeric_limits<Scalar>::min_exponent10 + 20;
  for (int precision = 0; precision < most; ++precision) {
    text = local_float_text(value, format, precision);
    if (static_cast<Scalar>(std::strtod(text.c_str(), nullptr)) == value) break;
  }
  return with_plain_point(text);
}

#else

/// `precision` digits behind the point, or in all where the format is general.
[[nodiscard]] inline std::string float_text(double value, std::chars_format format, int precision) {
  char text[512];
  return {text, std::to_chars(text, text + sizeof text, value, format, precision).ptr};
}

/// The fewest digits that tell the value from its neighbours.
template <class Scalar>
[[nodiscard]] std::string shortest_float_text(Scalar value, std::chars_format format) {
  char text[512];
  return {text, std::to_chars(text, text + sizeof text, value, format).ptr};
}

#endif

}  // namespace strata::detail
