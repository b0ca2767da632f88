#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/io/common/arrays.hpp>
#include <strata/io/common/assign.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/io/common/where.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/network.hpp>
#include <strata/model/predict.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The names of the arrays of a self-test: an input for the model, and the output that the model
/// must compute.
inline constexpr const char* self_test_input = "self_test.input";
inline constexpr const char* self_test_output = "self_test.output";
/// How much an output may differ from the expected one, relative to 1 + |expected|, unless the file
/// gives a tolerance of its own.
inline constexpr double self_test_tolerance = 1e-5;

/// An array (B, F) or (B, T, F) as a tensor. Throws FormatError on other ranks and on numbers that
/// are too large for the scalar.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> tensor_of(const ArrayView& array, const Where& where) {
  const Numbers numbers = numbers_of(array, where);
  if (numbers.rank() != 2 && numbers.rank() != 3) {
    where.expected("sizes (B, F) or (B, T, F)", sizes_text(numbers.shape));
  }
  const auto& sizes = numbers.shape;
  Tensor<Scalar> tensor(numbers.rank() == 2 ? Shape{sizes[0], sizes[1]}
                                            : Shape{sizes[0], sizes[1], sizes[2]});
  for (std::size_t i = 0; i < numbers.values.size(); ++i) {
    tensor.data()[i] = converted<Scalar>(numbers.values[i], where);
  }
  return tensor;
}

/// Throws FormatError when the output of a layer for x would have more than 2^24 numbers, so that a
/// damaged file cannot take memory and time without bound.
template <class Scalar>
void check_work(const Network<Scalar>& network, const Tensor<Scalar>& x, const Where& where) {
  constexpr double most = 1 << 24;
  Shape shape = x.shape();
  (void)network.output_shape(shape);
  for (const auto& layer : network.layers()) {
    shape = layer.output_shape(shape);
    double size = 1;
    for (Index axis = 0; axis < shape.rank(); ++axis) size *= static_cast<double>(shape[axis]);
    if (size > most) where.refuse("is too large for " + layer.describe());
  }
}

/// Runs the self-test of a file, if the file has one, and marks its arrays as used. Throws
/// FormatError, with the largest difference, when the model computes other numbers than the file
/// expects.
template <class Scalar>
void run_self_test(const ForwardNetwork<Scalar>& network, NamedArrays& arrays,
                   double tolerance = self_test_tolerance) {
  if (!arrays.contains(self_test_input) && !arrays.contains(self_test_output)) return;
  const Where where = arrays.where("self-test");
  const auto x = tensor_of<Scalar>(arrays.take(self_test_input), where.in("input"));
  const auto expected = tensor_of<double>(arrays.take(self_test_output), where.in("output"));
  Tensor<Scalar> found;
  try {
    check_work(network, x, where.in("input"));
    found = detail::predict(network, x, {});
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {
    where.refuse(error.what());
  }
  if (found.shape() != expected.shape()) {
    where.in("output").expected(to_string(expected.shape()), to_string(found.shape()));
  }
  double worst = 0;
  Index at = 0;
  for (Index i = 0; i < found.size(); ++i) {
    const auto y = static_cast<double>(found.data()[i]);
    const double share = std::abs(y - expected.data()[i]) / (1 + std::abs(expected.data()[i]));
    if (share > worst || detail::is_nan(share)) {
      worst = share;
      at = i;
    }
    if (detail::is_nan(share)) break;
  }
  if (detail::is_finite(worst) && worst <= tolerance) return;
  where.refuse(detail::message({"the model computes other numbers than it should: output ", at,
                                " of ", found.size(), ": expected ", expected.data()[at],
                                ", found ", found.data()[at], "; allowed is a difference of ",
                                tolerance, " (1 + |expected|)"}));
}

}  // namespace strata::inline STRATA_RUNTIME::io
