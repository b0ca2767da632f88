#pragma once

#include <Eigen/Core>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/metrics.hpp>

namespace strata::inline STRATA_RUNTIME {

/// How often each class was taken for each: the element (right, predicted) counts the rows of class
/// `right` whose largest output is that of class `predicted`. Predictions (B, classes) or
/// (B, T, classes), or (B, 1), (B, T, 1) with a probability of class 1, which is predicted above
/// `threshold`. Targets are class numbers, (B, 1), (B, T) or (B, T, 1), or a number for each class,
/// of which the largest is the right class. Steps that do not count in the mask are left out.
///
/// Throws ShapeError where the shapes do not fit, ValueError on a target that is no class.
///
///   std::cout << confusion_matrix(model.predict(x), labels) << "\n";
template <class Scalar>
[[nodiscard]] Eigen::Matrix<Index, Eigen::Dynamic, Eigen::Dynamic> confusion_matrix(
    const Tensor<Scalar>& prediction, const Tensor<Scalar>& target, const Mask& mask = {},
    double threshold = 0.5) {
  const Index rows = prediction.batch() * prediction.steps();
  const Index size = prediction.features();
  if (prediction.empty() || target.size() == 0 ||
      (target.size() != rows && target.size() != prediction.size()) ||
      target.batch() != prediction.batch()) {
    messages::fail<ShapeError>({"confusion_matrix: predictions of the shape ", prediction.shape(),
                                " need class numbers, one for each row, or targets of their shape; "
                                "found ",
                                target.shape()});
  }
  if (!mask.empty() && (prediction.rank() != 3 || mask.batch() != prediction.batch() ||
                        mask.steps() != prediction.steps())) {
    messages::fail<ShapeError>({"confusion_matrix: the mask has the shape ",
                                Shape{mask.batch(), mask.steps()}, ", the predictions ",
                                prediction.shape()});
  }
  const Index classes = size == 1 ? 2 : size;
  Eigen::Matrix<Index, Eigen::Dynamic, Eigen::Dynamic> counts =
      Eigen::Matrix<Index, Eigen::Dynamic, Eigen::Dynamic>::Zero(classes, classes);
  const Index target_size = target.size() / rows;
  for (Index row = 0; row < rows; ++row) {
    if (!mask.empty() && !mask(row / prediction.steps(), row % prediction.steps())) continue;
    const Scalar* const y = prediction.data() + row * size;
    const Scalar* const wanted = target.data() + row * target_size;
    const Index predicted = size == 1 ? (static_cast<double>(*y) > threshold ? 1 : 0)
                                      : detail::index_of_largest(y, size);
    Index right = 0;
    if (target_size == 1) {
      if (!(*wanted >= Scalar(0) && *wanted < static_cast<Scalar>(classes)) ||
          static_cast<Scalar>(static_cast<Index>(*wanted)) != *wanted) {
        messages::fail<ValueError>({"confusion_matrix: the target of row ", row, " is ", *wanted,
                                    ", but the classes are 0 to ", classes - 1});
      }
      right = static_cast<Index>(*wanted);
    } else {
      right = detail::index_of_largest(wanted, target_size);
    }
    ++counts(right, predicted);
  }
  return counts;
}

}  // namespace strata::inline STRATA_RUNTIME
