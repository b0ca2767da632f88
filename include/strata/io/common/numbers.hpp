#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/arrays.hpp>
#include <strata/io/common/where.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Functions by which importers turn arrays of a file into weights of strata. They compute in
// double, which holds every floating-point type of the files exactly.

namespace strata::inline STRATA_RUNTIME::io {

/// Numbers of a file with their sizes, in C order.
struct Numbers {
  std::vector<Index> shape;
  std::vector<double> values;

  [[nodiscard]] Index rank() const noexcept { return static_cast<Index>(shape.size()); }
  /// The last size, that of the innermost axis; 1 for a number of rank 0.
  [[nodiscard]] Index back() const noexcept { return shape.empty() ? 1 : shape.back(); }
};

/// The numbers of an array of float16, bfloat16, float32 or float64. Throws FormatError on other
/// types.
[[nodiscard]] inline Numbers numbers_of(const ArrayView& array, const Where& where) {
  if (!is_floating(array.element)) {
    where.expected("float16, bfloat16, float32 or float64", std::string(name(array.element)));
  }
  Numbers numbers{array.shape, {}};
  const std::size_t size = size_of(array.element);
  numbers.values.resize(array.bytes.size() / size);
  for (std::size_t i = 0; i < numbers.values.size(); ++i) {
    numbers.values[i] = read_floating(array.element, array.bytes.data() + i * size);
  }
  return numbers;
}

/// Throws FormatError unless the sizes of the numbers are `shape`.
inline void check_shape(const Numbers& numbers, const std::vector<Index>& shape,
                        const Where& where) {
  if (numbers.shape != shape) where.expected(sizes_text(shape), sizes_text(numbers.shape));
}

/// A matrix (R, C) as (C, R). Throws FormatError unless the rank is 2.
[[nodiscard]] inline Numbers transposed(const Numbers& matrix, const Where& where) {
  if (matrix.rank() != 2) where.expected("a matrix", sizes_text(matrix.shape));
  const auto rows = static_cast<std::size_t>(matrix.shape[0]);
  const auto columns = static_cast<std::size_t>(matrix.shape[1]);
  Numbers turned{{matrix.shape[1], matrix.shape[0]}, std::vector<double>(matrix.values.size())};
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      turned.values[c * rows + r] = matrix.values[r * columns + c];
    }
  }
  return turned;
}

/// The numbers with the gates of the last axis, `gates` blocks of U numbers, in another order:
/// block g of the result is block order[g] of the file. {0, 2, 3, 1} turns i, o, f, c of ONNX into
/// i, f, c, o. An order of fewer gates leaves the others out. Throws FormatError unless the last
/// size is a multiple of `gates`.
[[nodiscard]] inline Numbers permute_gates(const Numbers& numbers, Index gates,
                                           std::span<const int> order, const Where& where) {
  if (numbers.rank() == 0 || numbers.back() % gates != 0) {
    where.expected("a multiple of " + std::to_string(gates) + " as the last size",
                   sizes_text(numbers.shape));
  }
  const auto units = static_cast<std::size_t>(numbers.back() / gates);
  const auto width = static_cast<std::size_t>(numbers.back());
  const std::size_t rows = width == 0 ? 0 : numbers.values.size() / width;
  Numbers result{numbers.shape, {}};
  result.shape.back() = static_cast<Index>(units * order.size());
  result.values.reserve(rows * units * order.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (const int gate : order) {
      const auto first = numbers.values.begin() + static_cast<std::ptrdiff_t>(row * width) +
                         static_cast<std::ptrdiff_t>(static_cast<std::size_t>(gate) * units);
      result.values.insert(result.values.end(), first, first + static_cast<std::ptrdiff_t>(units));
    }
  }
  return result;
}
[[nodiscard]] inline Numbers permute_gates(const Numbers& numbers, std::initializer_list<int> order,
                                           const Where& where) {
  return permute_gates(numbers, static_cast<Index>(order.size()),
                       std::span(order.begin(), order.size()), where);
}

/// Rows [first, first + count) of the outermost axis. Throws FormatError when the numbers have
/// fewer rows.
[[nodiscard]] inline Numbers slice(const Numbers& numbers, Index first, Index count,
                                   const Where& where) {
  if (numbers.rank() == 0 || first < 0 || count < 0 || first > numbers.shape[0] - count) {
    where.expected("rows " + std::to_string(first) + " to " + std::to_string(first + count),
                   sizes_text(numbers.shape));
  }
  Numbers part{numbers.shape, {}};
  part.shape[0] = count;
  const std::size_t row = numbers.shape[0] == 0
                              ? 0
                              : numbers.values.size() / static_cast<std::size_t>(numbers.shape[0]);
  const auto begin =
      numbers.values.begin() + static_cast<std::ptrdiff_t>(row * static_cast<std::size_t>(first));
  part.values.assign(begin,
                     begin + static_cast<std::ptrdiff_t>(row * static_cast<std::size_t>(count)));
  return part;
}

/// Row `at` of the outermost axis: (D, ...) to (...).
[[nodiscard]] inline Numbers row(const Numbers& numbers, Index at, const Where& where) {
  Numbers part = slice(numbers, at, 1, where);
  part.shape.erase(part.shape.begin());
  return part;
}

/// Two arrays of equal sizes (...) as one of (2, ...), such as the two biases of a GRU. Throws
/// FormatError when the sizes differ.
[[nodiscard]] inline Numbers stacked(const Numbers& a, const Numbers& b, const Where& where) {
  check_shape(b, a.shape, where);
  Numbers both = a;
  both.shape.insert(both.shape.begin(), 2);
  both.values.insert(both.values.end(), b.values.begin(), b.values.end());
  return both;
}

/// a + b, by which the two biases of an LSTM of PyTorch or ONNX become one. Throws FormatError when
/// the sizes differ.
[[nodiscard]] inline Numbers sum(const Numbers& a, const Numbers& b, const Where& where) {
  check_shape(b, a.shape, where);
  Numbers result = a;
  for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] += b.values[i];
  return result;
}

/// The numbers, in their order, with other sizes. Throws FormatError when the product of the sizes
/// is not the count of the numbers.
[[nodiscard]] inline Numbers reshaped(Numbers numbers, std::vector<Index> shape,
                                      const Where& where) {
  if (checked_count(shape, where) != numbers.values.size()) {
    where.expected(sizes_text(shape), sizes_text(numbers.shape));
  }
  numbers.shape = std::move(shape);
  return numbers;
}

}  // namespace strata::inline STRATA_RUNTIME::io
