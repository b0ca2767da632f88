#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include <strata/tensor.hpp>

namespace strata {
namespace detail {

/// The number format of one array, chosen as NumPy's array2string does: at most eight decimals,
/// as few as tell every value from its neighbours, powers of ten when the values span too wide a
/// range.
template <class Scalar>
class NumberFormat {
 public:
  explicit NumberFormat(const std::vector<double>& values) {
    double smallest = 0;
    double largest = 0;
    for (const double value : values) {
      const double size = std::abs(value);
      if (!std::isfinite(size) || size == 0) continue;
      smallest = smallest == 0 ? size : std::min(smallest, size);
      largest = std::max(largest, size);
    }
    powers_ = largest >= 1e8 || (smallest > 0 && (smallest < 1e-4 || largest / smallest > 1e3));
    for (const double value : values) decimals_ = std::max(decimals_, decimals_of(value));
    for (const double value : values) width_ = std::max(width_, plain(value).size());
  }

  [[nodiscard]] std::string operator()(double value) const {
    const std::string text = plain(value);
    return std::string(width_ - text.size(), ' ') + text;
  }

 private:
  static constexpr int most_decimals = 8;

  [[nodiscard]] std::string with(double value, int decimals) const {
    char text[512];
    std::snprintf(text, sizeof text, powers_ ? "%.*e" : "%.*f", decimals, value);
    return text;
  }

  [[nodiscard]] int decimals_of(double value) const {
    if (!std::isfinite(value)) return 0;
    const auto read = [&](int decimals) {
      return static_cast<Scalar>(std::strtod(with(value, decimals).c_str(), nullptr));
    };
    int decimals = 0;
    while (decimals < most_decimals && read(decimals) != read(most_decimals)) ++decimals;
    return decimals;
  }

  [[nodiscard]] std::string plain(double value) const {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    std::string text = with(value, decimals_);
    if (decimals_ == 0) {
      const std::size_t exponent = text.find('e');
      text.insert(exponent == std::string::npos ? text.size() : exponent, ".");
    }
    if (powers_ || decimals_ == 0) return text;
    std::size_t last = text.find_last_not_of('0');
    return text.substr(0, last + 1) + std::string(text.size() - last - 1, ' ');
  }

  bool powers_ = false;
  int decimals_ = 0;
  std::size_t width_ = 0;
};

/// Indices of one axis that are shown; -1 stands for the dots of a summary.
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

}  // namespace detail

/// Prints like NumPy: nested brackets, aligned numbers, dots in place of the middle above 1000
/// values.
template <class Scalar>
std::ostream& operator<<(std::ostream& out, const Tensor<Scalar>& tensor) {
  if (tensor.rank() == 0) return out << "[]";
  const bool summary = tensor.size() > 1000;
  const bool cube = tensor.rank() == 3;
  const auto blocks = detail::shown(cube ? tensor.batch() : 1, summary);
  const auto rows = detail::shown(cube ? tensor.steps() : tensor.batch(), summary);
  const auto columns = detail::shown(tensor.features(), summary);
  const Index block_rows = cube ? tensor.steps() : tensor.batch();
  const auto at = [&](Index block, Index row, Index column) {
    return static_cast<double>(
        tensor.data()[(block * block_rows + row) * tensor.features() + column]);
  };

  std::vector<double> values;
  for (const Index block : blocks) {
    for (const Index row : rows) {
      for (const Index column : columns) {
        if (block >= 0 && row >= 0 && column >= 0) values.push_back(at(block, row, column));
      }
    }
  }
  const detail::NumberFormat<Scalar> format(values);
  const std::string indent(cube ? 2 : 1, ' ');

  if (cube) out << '[';
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i > 0) out << "\n\n ";
    if (blocks[i] < 0) {
      out << "...";
      continue;
    }
    out << '[';
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (j > 0) out << '\n' << indent;
      if (rows[j] < 0) {
        out << "...";
        continue;
      }
      out << '[';
      for (std::size_t k = 0; k < columns.size(); ++k) {
        if (k > 0) out << ' ';
        out << (columns[k] < 0 ? "..." : format(at(blocks[i], rows[j], columns[k])));
      }
      out << ']';
    }
    out << ']';
  }
  return cube ? out << ']' : out;
}

}  // namespace strata
