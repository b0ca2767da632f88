#pragma once

#include <Eigen/Core>
#include <array>
#include <initializer_list>
#include <limits>
#include <string>

#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/language/checked_arithmetic.hpp>

namespace strata {

using Index = Eigen::Index;

/// A size that is known only when the program runs.
inline constexpr Index Dynamic = Eigen::Dynamic;

/// The sizes of an array of rank 0 to 3, outermost first: (B, F) or (B, T, F) for data.
class Shape {
 public:
  static constexpr Index max_rank = 3;

  constexpr Shape() = default;

  /// Throws ShapeError on more than three sizes.
  constexpr Shape(std::initializer_list<Index> sizes) {
    if (sizes.size() > static_cast<std::size_t>(max_rank)) {
      detail::raise<ShapeError>("a shape has at most 3 sizes, found " +
                                std::to_string(sizes.size()));
    }
    for (const Index size : sizes) sizes_[static_cast<std::size_t>(rank_++)] = size;
  }

  [[nodiscard]] constexpr Index rank() const noexcept { return rank_; }

  [[nodiscard]] constexpr Index operator[](Index axis) const noexcept {
    return sizes_[static_cast<std::size_t>(axis)];
  }

  [[nodiscard]] constexpr Index& operator[](Index axis) noexcept {
    return sizes_[static_cast<std::size_t>(axis)];
  }

  /// The innermost size, which is F for data.
  [[nodiscard]] constexpr Index back() const noexcept { return (*this)[rank_ - 1]; }

  /// The number of elements, 0 for rank 0. Where it is too large for an Index, the largest Index.
  [[nodiscard]] constexpr Index size() const noexcept {
    Index product = rank_ == 0 ? 0 : 1;
    for (Index axis = 0; axis < rank_; ++axis) {
      if (detail::multiply_overflows(product, (*this)[axis], product)) {
        return (std::numeric_limits<Index>::max)();
      }
    }
    return product;
  }

  [[nodiscard]] constexpr bool operator==(const Shape&) const = default;

 private:
  std::array<Index, max_rank> sizes_{};
  Index rank_ = 0;
};

/// A shape as Python prints it, such as "(32, 40, 1)"; Dynamic prints as None.
[[nodiscard]] inline std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += shape[axis] == Dynamic ? "None" : std::to_string(shape[axis]);
  }
  return text + (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace strata
