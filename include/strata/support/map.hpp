#pragma once

#include <Eigen/Core>

#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Numbers that lie close together. A stride of our own, so that the name of each of Eigen's
/// functions for a Map says for which instruction set it was compiled, and linked programs keep
/// them apart.
struct Close : Eigen::Stride<0, 0> {};

/// Numbers in memory that need no alignment, as Eigen sees them. All arithmetic that strata leaves
/// to Eigen is done on these.
template <class Matrix>
using Map = Eigen::Map<Matrix, Eigen::Unaligned, Close>;

/// A row that owns its numbers, with memory from malloc like all others: Eigen's is aligned for the
/// instruction set, and freed in another way by each.
template <class Scalar>
using Row = Eigen::Array<Scalar, 1, Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

template <class Scalar>
using RowsMap = Map<Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::RowMajor>>;
template <class Scalar>
using ConstRowsMap = Map<const Eigen::Matrix<Scalar, Dynamic, Dynamic, Eigen::RowMajor>>;

/// As Tensor::matrix.
template <class Scalar>
[[nodiscard]] ConstRowsMap<Scalar> matrix_of(const Tensor<Scalar>& x) {
  return {x.data(), x.batch() * x.steps(), x.features()};
}
template <class Scalar>
[[nodiscard]] RowsMap<Scalar> matrix_of(Tensor<Scalar>& x) {
  return {x.data(), x.batch() * x.steps(), x.features()};
}

/// As Tensor::sequence.
template <class Scalar>
[[nodiscard]] ConstRowsMap<Scalar> sequence_of(const Tensor<Scalar>& x, Index b) {
  return {x.data() + b * x.steps() * x.features(), x.steps(), x.features()};
}
template <class Scalar>
[[nodiscard]] RowsMap<Scalar> sequence_of(Tensor<Scalar>& x, Index b) {
  return {x.data() + b * x.steps() * x.features(), x.steps(), x.features()};
}

}  // namespace strata::inline STRATA_TARGET::detail
