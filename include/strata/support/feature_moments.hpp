#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Mean and variance of each feature.
struct FeatureMoments {
  std::vector<double> mean;
  std::vector<double> variance;
};

/// The moments over all samples and the steps from `begin` to before `end` of x, (B, F) or
/// (B, T, F), which has at least one of these steps.
template <class Scalar>
[[nodiscard]] FeatureMoments feature_moments(const Tensor<Scalar>& x, Index begin, Index end) {
  const auto features = static_cast<std::size_t>(x.features());
  // The mean of f(value, feature) over the steps.
  const auto mean_of = [&](auto f) {
    std::vector<double> sums(features);
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index t = begin; t < end; ++t) {
        const Scalar* const row = x.data() + (b * x.steps() + t) * x.features();
        for (std::size_t i = 0; i < features; ++i) sums[i] += f(static_cast<double>(row[i]), i);
      }
    }
    for (double& sum : sums) sum /= static_cast<double>(x.batch() * (end - begin));
    return sums;
  };
  std::vector<double> mean = mean_of([](double value, std::size_t) { return value; });
  std::vector<double> variance =
      mean_of([&](double value, std::size_t i) { return (value - mean[i]) * (value - mean[i]); });
  return {std::move(mean), std::move(variance)};
}

}  // namespace strata::detail::inline STRATA_TARGET
