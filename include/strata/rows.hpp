#pragma once

#include <type_traits>

#include <strata/shape.hpp>

namespace strata {

/// Refers to a row of numbers for each sequence of a batch, `stride` numbers apart. Without `data`
/// it is empty, and false.
template <class Scalar>
struct Rows {
  Scalar* data = nullptr;
  Index stride = 0;

  /// The row of sequence b.
  [[nodiscard]] Scalar* operator()(Index b) const noexcept { return data + b * stride; }
  /// The rows from sequence `first` on.
  [[nodiscard]] Rows from(Index first) const noexcept { return {data + first * stride, stride}; }
  [[nodiscard]] explicit operator bool() const noexcept { return data != nullptr; }
  operator Rows<const Scalar>() const noexcept requires(!std::is_const_v<Scalar>) {
    return {data, stride};
  }
};

}  // namespace strata
