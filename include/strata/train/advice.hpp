#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <strata/base/message.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/model/network.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/loss.hpp>
#include <strata/train/optimizer.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Sentences that name what a user may change where the loss or a gradient is not finite: the
/// learning rate, but not in the first step, and the scale of data that is large.
template <class Scalar>
[[nodiscard]] std::string advice(const Network<Scalar>& network, const Optimizer<Scalar>& optimizer,
                                 const Loss<Scalar>& loss, const Tensor<Scalar>& x,
                                 const Tensor<Scalar>& y) {
  const auto largest = [](const Tensor<Scalar>& values) {
    double most = 0;
    for (const Scalar value : values.values()) {
      most = (std::max)(most, std::abs(static_cast<double>(value)));
    }
    return most;
  };
  // Class numbers are not to be scaled.
  const bool x_is_ids = network.layers().front().accepts() == Accepts::ids;
  const double most_x = x_is_ids ? 0 : largest(x);
  const double most_y = loss.targets() == Targets::classes ? 0 : largest(y);
  constexpr double large = 1e4;
  const std::string sizes =
      most_x > large || most_y > large
          ? message({"scale the data to about 1: x goes up to ", most_x, ", y up to ", most_y})
          : std::string();
  if (optimizer.iterations() > 0) {
    return optimizer.advice() + (sizes.empty() ? "" : ", and " + sizes);
  }
  return "This is the first step, so that the learning rate is not the reason: " +
         (sizes.empty() ? "look at the weights that the model has been given, and at the loss"
                        : sizes);
}

}  // namespace strata::detail::inline STRATA_RUNTIME
