#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/random.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// Distributions that a row of outputs describes, as the losses MixtureDensity and PenDensity train
// it.

namespace strata::inline STRATA_RUNTIME {

/// A mixture of K normal distributions in D dimensions with diagonal covariances.
struct GaussianMixture {
  /// The probability of each component, (K).
  std::vector<double> weights;
  /// The mean of each component, (K, D), and its standard deviations, (K, D).
  std::vector<double> means;
  std::vector<double> deviations;

  /// D
  [[nodiscard]] Index dimensions() const noexcept {
    return static_cast<Index>(means.size() / weights.size());
  }

  /// The mean of the mixture in dimension d.
  [[nodiscard]] double mean(Index d = 0) const {
    double sum = 0;
    for_each(d, [&](double weight, double mean_k, double) { sum += weight * mean_k; });
    return sum;
  }

  /// The variance of the mixture in dimension d: that within the components and that of their
  /// means.
  [[nodiscard]] double variance(Index d = 0) const {
    const double center = mean(d);
    double sum = 0;
    for_each(d, [&](double weight, double mean_k, double deviation) {
      sum += weight * (deviation * deviation + (mean_k - center) * (mean_k - center));
    });
    return sum;
  }

  /// Draws a point (D).
  [[nodiscard]] std::vector<double> sample(Random& random) const;

  /// The number that dimension d stays below with the probability p, estimated from `draws`
  /// samples. Throws ValueError on a p that is not above 0 and below 1 and on fewer than one draw.
  [[nodiscard]] double quantile(double p, Index draws, Random& random, Index d = 0) const;

 private:
  template <class F>
  void for_each(Index d, F f) const {
    const std::size_t size = means.size() / weights.size();
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const std::size_t place = k * size + static_cast<std::size_t>(d);
      f(weights[k], means[place], deviations[place]);
    }
  }
};

/// A movement of a pen, and whether it ends a stroke.
struct PenPoint {
  double dx = 0;
  double dy = 0;
  bool end = false;
};

/// The distribution of a pen's next movement (Graves 2013, section 4.1): a mixture of K normal
/// distributions in two dimensions, each with a correlation, and the probability that the stroke
/// ends.
struct PenMixture {
  /// The probability of each component, (K).
  std::vector<double> weights;
  /// Means and standard deviations of dx and dy, and their correlation, (K) each.
  std::vector<double> means_x;
  std::vector<double> means_y;
  std::vector<double> deviations_x;
  std::vector<double> deviations_y;
  std::vector<double> correlations;
  double end_probability = 0;

  /// Draws a movement.
  [[nodiscard]] PenPoint sample(Random& random) const;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/mixtures_definitions.hpp>
#endif
