#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <strata/contracts/held.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/model/mixtures.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/mixture_rows.hpp>

namespace strata::inline STRATA_RUNTIME {

/// The negative log likelihood of a mixture of K normal distributions in D dimensions with diagonal
/// covariances (Bishop 1994, Mixture density networks). A prediction has K (1 + 2 D) numbers: the
/// logits of the weights (K), the means (K, D), and the logarithms of the standard deviations (K,
/// D). y has D features.
///
///   const MixtureDensity mixture{.components = 5};
///   Sequential model{LSTM{32}, Dense{mixture.outputs()}};
///   model.compile(Adam{}, mixture);                       // y (B, 1)
///   const Tensor<float> y = model.predict(x);
///   GaussianMixture of_first = mixture.distribution(sample_of(y, 0).step(0));
struct MixtureDensity {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "mixture_density";
  /// K, at least 1. 5: enough for targets of a few kinds.
  Index components = 5;
  /// D, at least 1.
  Index dimensions = 1;

  /// Throws ValueError on counts below 1.
  void check() const {
    detail::check_components("MixtureDensity", "components", components);
    detail::check_components("MixtureDensity", "dimensions", dimensions);
  }

  /// K (1 + 2 D): the units of the last layer.
  [[nodiscard]] Index outputs() const noexcept { return components * (1 + 2 * dimensions); }

  /// D features. Throws ShapeError on other than `outputs()` outputs.
  [[nodiscard]] Shape target_shape(const Shape& output) const {
    return detail::target_of_mixture(name, output, outputs(), dimensions);
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index, Scalar* gradient) const {
    const Index count = components * dimensions;
    std::vector<double> memory(static_cast<std::size_t>(2 * components + 3 * count));
    double* const weights = memory.data();
    double* const shares = weights + components;
    double* const log_deviations = shares + components;
    double* const precisions = log_deviations + count;
    double* const z = precisions + count;
    std::copy_n(prediction, components, weights);
    std::copy_n(prediction + components + count, count, log_deviations);
    const double log_sum = detail::log_sum_exp(weights, components);
    detail::exponentials(log_deviations, count, -1, precisions);
    for (Index k = 0; k < components; ++k) {
      weights[k] -= log_sum;
      shares[k] = weights[k] - static_cast<double>(dimensions) * detail::log_two_pi / 2;
      for (Index i = k * dimensions; i < (k + 1) * dimensions; ++i) {
        const double mean = static_cast<double>(prediction[components + i]);
        z[i] = (static_cast<double>(target[i - k * dimensions]) - mean) * precisions[i];
        shares[k] -= log_deviations[i] + z[i] * z[i] / 2;
      }
    }
    const double loss = detail::share_components(shares, components);
    if (!gradient) return loss;
    detail::exponentials(weights, components, 1, weights);
    for (Index k = 0; k < components; ++k) {
      gradient[k] = static_cast<Scalar>(weights[k] - shares[k]);
      for (Index i = k * dimensions; i < (k + 1) * dimensions; ++i) {
        gradient[components + i] = static_cast<Scalar>(-shares[k] * z[i] * precisions[i]);
        gradient[components + count + i] = static_cast<Scalar>(shares[k] * (1 - z[i] * z[i]));
      }
    }
    return loss;
  }

  /// The distribution that a row of outputs describes. A bias above 0 makes likely samples
  /// likelier: logits are multiplied by 1 + bias, and standard deviations divided by e^bias. Throws
  /// ShapeError on other than `outputs()` numbers, ValueError on a bias that is not at least 0 and
  /// finite.
  template <class Scalar>
  [[nodiscard]] GaussianMixture distribution(std::span<Scalar> row, double bias = 0) const {
    detail::check_row_of_mixture("MixtureDensity", static_cast<Index>(row.size()), outputs(), bias);
    const auto count = static_cast<std::size_t>(components * dimensions);
    GaussianMixture mixture;
    mixture.weights = detail::component_weights(row.data(), components, bias);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t mean = static_cast<std::size_t>(components) + i;
      mixture.means.push_back(static_cast<double>(row[mean]));
      mixture.deviations.push_back(std::exp(static_cast<double>(row[mean + count]) - bias));
    }
    return mixture;
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<MixtureDensity> : HeldAs<HeldFigure::mixture_density> {};

}  // namespace strata::detail
