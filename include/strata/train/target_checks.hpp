#pragma once

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ValueError, naming the place, on a label that is no class number below `classes`.
template <class Scalar>
void check_classes(const char* what, const Tensor<Scalar>& labels, Index classes) {
  for (Index i = 0; i < labels.size(); ++i) {
    const Scalar label = labels.data()[i];
    if (label >= Scalar(0) && label < static_cast<Scalar>(classes) &&
        label == static_cast<Scalar>(static_cast<Index>(label))) {
      continue;
    }
    fail<ValueError>(
        {place(what, labels, i), " is ", label, ", but the classes are 0 to ", classes - 1});
  }
}

/// Throws ShapeError unless y is what a loss compares outputs of a shape with, and ValueError on
/// values that are not finite and on labels that are no class.
template <class Scalar>
void check_targets(const Tensor<Scalar>& y, const Shape& output, const Loss<Scalar>& loss) {
  check_not_empty("y", y);
  if (y.batch() != output[0]) {
    fail<ShapeError>({"y: x has ", output[0], " samples, y has ", y.batch()});
  }
  const bool classes = loss.targets() == Targets::classes;
  const Shape expected = loss.target_shape(output);
  if (!fits_targets(y.shape(), expected)) {
    Shape one_class = output;
    one_class[output.rank() - 1] = 1;
    if (classes && expected == one_class) {
      fail<ShapeError>({"y: the model's output has the shape ", output,
                        ", so class numbers have the shape ", expected, "; found ", y.shape()});
    }
    if (!classes && expected == output) {
      fail<ShapeError>({"y: the model's output has the shape ", output, "; found ", y.shape()});
    }
    fail<ShapeError>({"y: the model's output has the shape ", output, ", for which the loss ",
                      loss.name(), " takes targets of the shape ", expected, "; found ",
                      y.shape()});
  }
  check_finite("y", y);
  if (classes) check_classes("y", y, output.back());
}

/// Whether it is known before the pass which rows of outputs count. `mask` is the mask of x;
/// `layers_mask`: whether layers of the model change it.
[[nodiscard]] inline bool knows_counted(const Shape& output, const Mask& mask, bool layers_mask) {
  if (output.rank() < 3) return true;
  return !layers_mask && (mask.empty() || mask.steps() == output[1]);
}

/// Calls f(row) for each row of outputs that is known to count before the pass.
template <class F>
void for_each_counted_row(const Shape& output, const Mask& mask, bool layers_mask, F f) {
  if (!knows_counted(output, mask, layers_mask)) return;
  const bool is_sequence = output.rank() == 3;
  const Index rows = is_sequence ? output[0] * output[1] : output[0];
  for (Index row = 0; row < rows; ++row) {
    if (is_sequence && !mask.empty() && !mask(row / mask.steps(), row % mask.steps())) continue;
    f(row);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
