#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/language/float_text.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/tensor_print.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The number format of one array, chosen as NumPy's array2string does: the fewest digits that tell
/// each value from its neighbours, at most eight decimals, and powers of ten where the values are
/// very large, very small or far apart.
template <class Scalar>
class NumberFormat {
 public:
  explicit NumberFormat(const std::vector<Scalar>& values) {
    Scalar smallest = 0;
    Scalar largest = 0;
    for (const Scalar value : values) {
      const Scalar size = std::abs(value);
      if (!is_finite(value) || size == 0) continue;
      smallest = smallest == 0 ? size : (std::min)(smallest, size);
      largest = (std::max)(largest, size);
    }
    constexpr Scalar wide = std::numeric_limits<Scalar>::digits10 < 8 ? Scalar(1e6) : Scalar(1e8);
    powers_ = largest >= wide ||
              (smallest > 0 && (smallest < Scalar(1e-4) || largest / smallest > Scalar(1e3)));
    for (const Scalar value : values) {
      if (!is_finite(value)) continue;
      const Digits digits = digits_of(value);
      decimals_ = (std::max)(decimals_, digits.decimals);
      exponent_ = (std::max)(exponent_, digits.exponent);
    }
    for (const Scalar value : values) width_ = (std::max)(width_, plain(value).size());
  }

  [[nodiscard]] std::string operator()(Scalar value) const {
    std::string text = plain(value);
    return text.insert(0, width_ - text.size(), ' ');
  }

 private:
  static constexpr std::size_t most_decimals = 8;

  /// A number as text, such as "-12.5" or "-1.25e+01", and the lengths of its parts.
  struct Digits {
    std::string text;
    /// The length of "-12" or "-1".
    std::size_t whole;
    /// The length of "5" or "25".
    std::size_t decimals;
    /// The length of "01".
    std::size_t exponent;
  };

  /// The fewest digits that tell the value from its neighbours.
  [[nodiscard]] Digits digits_of(Scalar value) const {
    const auto format = powers_ ? std::chars_format::scientific : std::chars_format::fixed;
    Digits digits = split(shortest_float_text(value, format));
    if (digits.decimals <= most_decimals) return digits;
    digits = rounded(value, most_decimals);
    while (digits.decimals > 0 && digits.text[digits.whole + digits.decimals] == '0') {
      digits.text.erase(digits.whole + digits.decimals--, 1);
    }
    return digits;
  }

  [[nodiscard]] Digits rounded(Scalar value, std::size_t decimals) const {
    return split(number_text(static_cast<double>(value), static_cast<int>(decimals),
                             powers_ ? NumberStyle::scientific : NumberStyle::fixed));
  }

  [[nodiscard]] static Digits split(std::string text) {
    const std::size_t e = (std::min)(text.find('e'), text.size());
    const std::size_t point = (std::min)(text.find_first_not_of("-0123456789"), e);
    return {.text = text,
            .whole = point,
            .decimals = point < e ? e - point - 1 : 0,
            .exponent = e < text.size() ? text.size() - e - 2 : 0};
  }

  [[nodiscard]] std::string plain(Scalar value) const {
    if (is_nan(value)) return "nan";
    if (is_infinite(value)) return std::signbit(value) ? "-inf" : "inf";
    Digits digits = powers_ ? rounded(value, decimals_) : digits_of(value);
    std::string& text = digits.text;
    const bool has_point = digits.whole < text.size() && text[digits.whole] == '.';
    if (!has_point) text.insert(digits.whole, 1, '.');
    if (!powers_) {
      text.append(decimals_ - digits.decimals, ' ');
    } else {
      text.insert(text.size() - digits.exponent, exponent_ - digits.exponent, '0');
    }
    return text;
  }

  bool powers_ = false;
  std::size_t decimals_ = 0;
  std::size_t exponent_ = 0;
  std::size_t width_ = 0;
};

/// The indices of one axis that are printed: all, or for a summary the first and last three, with
/// -1 for the dots between them.
[[nodiscard]] inline std::vector<Index> shown(Index size, bool summary) {
  constexpr Index edge = 3;
  std::vector<Index> indices;
  for (Index i = 0; i < size; ++i) {
    if (summary && size > 2 * edge && i >= edge && i < size - edge) {
      if (i == edge) indices.push_back(-1);
      continue;
    }
    indices.push_back(i);
  }
  return indices;
}

/// The words of one row in brackets, with lines broken before the 75th column as NumPy breaks them.
/// `depth` brackets, the row's own among them, stand before the first word.
[[nodiscard]] inline std::string bracketed_row(const std::vector<std::string>& words,
                                               std::size_t depth) {
  const std::size_t width = 75 - depth;
  const std::string indent(depth, ' ');
  std::string text;
  std::string line = indent;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) line += ' ';
    if (i > 0 && line.size() + words[i].size() > width) {
      line.resize(line.find_last_not_of(' ') + 1);
      text += line + '\n';
      line = indent;
    }
    line += words[i];
  }
  text += line;
  return '[' + text.substr(depth) + ']';
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

template <class Scalar>
std::string to_string(const Tensor<Scalar>& tensor) {
  if (tensor.empty()) return "[]";
  const bool summary = tensor.size() > 1000;
  const bool cube = tensor.rank() == 3;
  const auto blocks = detail::shown(cube ? tensor.batch() : 1, summary);
  const auto rows = detail::shown(cube ? tensor.steps() : tensor.batch(), summary);
  const auto columns = detail::shown(tensor.features(), summary);
  const Index block_rows = cube ? tensor.steps() : tensor.batch();
  const auto at = [&](Index block, Index row, Index column) {
    return tensor.data()[(block * block_rows + row) * tensor.features() + column];
  };

  std::vector<Scalar> values;
  for (const Index block : blocks) {
    for (const Index row : rows) {
      for (const Index column : columns) {
        if (block >= 0 && row >= 0 && column >= 0) values.push_back(at(block, row, column));
      }
    }
  }
  const detail::NumberFormat<Scalar> format(values);
  const std::string indent(cube ? 2 : 1, ' ');

  std::string text = cube ? "[" : "";
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i > 0) text += "\n\n ";
    if (blocks[i] < 0) {
      text += "...";
      continue;
    }
    text += '[';
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (j > 0) text += '\n' + indent;
      if (rows[j] < 0) {
        text += "...";
        continue;
      }
      std::vector<std::string> words;
      for (const Index column : columns) {
        words.push_back(column < 0 ? "..." : format(at(blocks[i], rows[j], column)));
      }
      text += detail::bracketed_row(words, indent.size() + 1);
    }
    text += ']';
  }
  return cube ? text + ']' : text;
}

template <class Scalar>
std::ostream& operator<<(std::ostream& out, const Tensor<Scalar>& tensor) {
  out.width(0);
  return out << to_string(tensor);
}

}  // namespace strata::inline STRATA_RUNTIME
