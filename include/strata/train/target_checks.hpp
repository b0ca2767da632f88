#pragma once

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/mask.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/loss.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ShapeError unless y fits outputs of a shape, and ValueError on values that are not finite
/// and on labels that are no class.
template <class Scalar>
void check_targets(const Tensor<Scalar>& y, const Shape& output, Targets targets) {
  check_not_empty("y", y);
  if (y.batch() != output[0]) {
    fail<ShapeError>({"y: x has ", output[0], " samples, y has ", y.batch()});
  }
  Shape expected = output;
  if (targets == Targets::classes) expected[expected.rank() - 1] = 1;
  const bool one_per_step = y.rank() == 2 && expected.rank() == 3 && expected[2] == 1 &&
                            y.shape() == Shape{expected[0], expected[1]};
  if (y.shape() != expected && !one_per_step) {
    if (targets == Targets::classes) {
      fail<ShapeError>({"y: the model's output has the shape ", output,
                        ", so class numbers have the shape ", expected, "; found ", y.shape()});
    }
    fail<ShapeError>({"y: the model's output has the shape ", output, "; found ", y.shape()});
  }
  check_finite("y", y);
  if (targets == Targets::values) return;
  for (Index i = 0; i < y.size(); ++i) {
    const Scalar label = y.data()[i];
    if (label >= Scalar(0) && label < static_cast<Scalar>(output.back()) &&
        label == static_cast<Scalar>(static_cast<Index>(label))) {
      continue;
    }
    fail<ValueError>(
        {place("y", y, i), " is ", label, ", but the classes are 0 to ", output.back() - 1});
  }
}

/// Calls f(row) for each row of outputs that is known to count before the pass. `mask` is the mask
/// of x. Where layers of the model change the mask, no row of a sequence is known to count.
template <class F>
void for_each_counted_row(const Shape& output, const Mask& mask, bool layers_mask, F f) {
  const bool is_sequence = output.rank() == 3;
  const bool is_masked = is_sequence && !mask.empty();
  if (is_sequence && (layers_mask || (is_masked && mask.steps() != output[1]))) return;
  const Index rows = is_sequence ? output[0] * output[1] : output[0];
  for (Index row = 0; row < rows; ++row) {
    if (is_masked && !mask(row / mask.steps(), row % mask.steps())) continue;
    f(row);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
