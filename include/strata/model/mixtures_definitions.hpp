#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/model/mixtures.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The number of a component, drawn by its probability.
[[nodiscard]] inline std::size_t draw_component(const std::vector<double>& weights,
                                                Random& random) {
  double rest = random.uniform();
  for (std::size_t k = 0; k + 1 < weights.size(); ++k) {
    if (rest < weights[k]) return k;
    rest -= weights[k];
  }
  return weights.size() - 1;
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

STRATA_INLINE std::vector<double> GaussianMixture::sample(Random& random) const {
  const std::size_t k = detail::draw_component(weights, random);
  std::vector<double> point(means.size() / weights.size());
  for (std::size_t d = 0; d < point.size(); ++d) {
    const std::size_t place = k * point.size() + d;
    point[d] = means[place] + deviations[place] * random.normal();
  }
  return point;
}

STRATA_INLINE double GaussianMixture::quantile(double p, Index draws, Random& random,
                                               Index d) const {
  if (!(p > 0 && p < 1)) {
    detail::fail<ValueError>({"quantile: p must be above 0 and below 1, found ", p});
  }
  if (draws < 1) detail::fail<ValueError>({"quantile: draws must be at least 1, found ", draws});
  std::vector<double> points;
  detail::sizes::reserve(points, draws);
  for (Index i = 0; i < draws; ++i) points.push_back(sample(random)[static_cast<std::size_t>(d)]);
  const auto place =
      points.begin() + static_cast<std::ptrdiff_t>(p * static_cast<double>(points.size()));
  std::nth_element(points.begin(), place, points.end());
  return *place;
}

STRATA_INLINE PenPoint PenMixture::sample(Random& random) const {
  const std::size_t k = detail::draw_component(weights, random);
  const double first = random.normal();
  const double second = random.normal();
  const double across = std::sqrt(1 - correlations[k] * correlations[k]);
  PenPoint point;
  point.dx = means_x[k] + deviations_x[k] * first;
  point.dy = means_y[k] + deviations_y[k] * (correlations[k] * first + across * second);
  point.end = random.uniform() < end_probability;
  return point;
}

}  // namespace strata::inline STRATA_RUNTIME
