#pragma once

#include <Eigen/Core>

#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The stride of numbers without gaps. It is a type of strata, in the namespace of the instruction
/// set, so that the functions that Eigen's templates make for a Map have that set in their names
/// and a program linked from objects for several sets keeps them apart.
struct Close : Eigen::Stride<0, 0> {};

/// Eigen's view of numbers in memory of any alignment. All arithmetic that strata leaves to Eigen
/// is done on such views.
template <class Matrix>
using Map = Eigen::Map<Matrix, Eigen::Unaligned, Close>;

/// A row that owns its numbers. DontAlign lets the memory come from plain malloc: Eigen's aligned
/// memory is made and freed in a way that depends on the instruction set, which objects compiled
/// for different sets must not mix.
template <class Scalar>
using Row = Eigen::Array<Scalar, 1, Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

template <class Scalar>
using RowsMap = Map<Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::RowMajor>>;
template <class Scalar>
using ConstRowsMap = Map<const Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::RowMajor>>;

/// The view that Tensor::matrix returns, as a Map of strata: (B, F) or (B T, F).
template <class Scalar>
[[nodiscard]] ConstRowsMap<Scalar> matrix_of(const Tensor<Scalar>& x) {
  return {x.data(), x.batch() * x.steps(), x.features()};
}
template <class Scalar>
[[nodiscard]] RowsMap<Scalar> matrix_of(Tensor<Scalar>& x) {
  return {x.data(), x.batch() * x.steps(), x.features()};
}

/// The view that Tensor::sequence returns, as a Map of strata: (T, F).
template <class Scalar>
[[nodiscard]] ConstRowsMap<Scalar> sequence_of(const Tensor<Scalar>& x, Index b) {
  return {x.data() + b * x.steps() * x.features(), x.steps(), x.features()};
}
template <class Scalar>
[[nodiscard]] RowsMap<Scalar> sequence_of(Tensor<Scalar>& x, Index b) {
  return {x.data() + b * x.steps() * x.features(), x.steps(), x.features()};
}

}  // namespace strata::detail::inline STRATA_TARGET
