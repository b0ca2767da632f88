#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/shape.hpp>
#include <strata/support/map.hpp>
#include <strata/target.hpp>

namespace strata {

/// One array of a layer's numbers, as the optimizer, the files and the summary see it. `values` are
/// in C order of `shape`, which is Keras' shape. Numbers that are not trainable belong to the
/// weights, but the optimizer leaves them.
template <class Scalar>
struct Parameter {
  std::string name;
  Shape shape;
  std::span<Scalar> values;
  bool trainable = true;
  /// The factor of the learning rate for these numbers.
  double rate = 1;
};

/// What a training does with a parameter: it learns; it is frozen by the user; or its layer never
/// trains it, such as a moving mean.
enum class Learning : unsigned char { learns, frozen, never };

/// How many numbers the parameters of a layer or cell have: by its own `parameter_count()`, or else
/// by its list of parameters.
template <class Holder>
[[nodiscard]] Index parameter_count(const Holder& holder) {
  if constexpr (requires { holder.parameter_count(); }) {
    return holder.parameter_count();
  } else {
    Index count = 0;
    // The list points to numbers that may be changed; none is.
    for (const auto& parameter : const_cast<Holder&>(holder).parameters()) {
      count += parameter.shape.size();
    }
    return count;
  }
}

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// Whether the user has frozen a layer with these parameters, of which nothing learns then: layers
/// with statistics of batches compute as in prediction.
[[nodiscard]] inline bool is_frozen(std::span<const Learning> parameters) noexcept {
  const auto count = [&](Learning kind) {
    return std::count(parameters.begin(), parameters.end(), kind);
  };
  return count(Learning::frozen) > 0 && count(Learning::learns) == 0;
}

/// The numbers of a weight matrix of Rows x Columns, column after column: in the object itself when
/// both sizes are fixed, on the heap otherwise. Needs no alignment, so that a model can lie
/// anywhere.
template <class Scalar, Index Rows, Index Columns>
class Weights {
 public:
  static constexpr bool is_fixed = Rows != Dynamic && Columns != Dynamic;
  using Matrix = Eigen::Matrix<Scalar, Rows, Columns,
                               Rows == 1 && Columns != 1 ? Eigen::RowMajor : Eigen::ColMajor>;

  [[nodiscard]] Map<Matrix> matrix() noexcept { return {values_.data(), rows(), columns()}; }
  [[nodiscard]] Map<const Matrix> matrix() const noexcept {
    return {values_.data(), rows(), columns()};
  }

  [[nodiscard]] std::span<Scalar> values() noexcept { return values_; }
  [[nodiscard]] std::span<const Scalar> values() const noexcept { return values_; }

  [[nodiscard]] Index rows() const noexcept {
    if constexpr (is_fixed)
      return Rows;
    else
      return rows_;
  }
  [[nodiscard]] Index columns() const noexcept {
    if constexpr (is_fixed)
      return Columns;
    else
      return columns_;
  }

  /// Zeros of a new size; fixed sizes stay what they are. Throws ShapeError or MemoryError on a
  /// size that memory cannot hold; nothing is changed then.
  void resize(Index rows, Index columns) {
    if constexpr (is_fixed) {
      values_.fill(Scalar(0));
    } else {
      sizes::assign(values_, sizes::count({rows, columns}), Scalar(0));
      rows_ = rows;
      columns_ = columns;
    }
  }

 private:
  struct Nothing {};
  using Size = std::conditional_t<is_fixed, Nothing, Index>;

  std::conditional_t<is_fixed,
                     std::array<Scalar, is_fixed ? static_cast<std::size_t>(Rows* Columns) : 0>,
                     std::vector<Scalar>>
      values_{};
  [[no_unique_address]] Size rows_{};
  [[no_unique_address]] Size columns_{};
};

}  // namespace strata::detail::inline STRATA_TARGET
