#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/model/mixtures.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/any_loss.hpp>

// Mixture density networks (Bishop 1994): a network whose outputs describe a distribution of the
// target, and the negative log likelihood of the target as its loss.

namespace strata::detail::inline STRATA_RUNTIME {

/// The shape of targets with `features` numbers for outputs of `outputs` numbers. Throws ShapeError
/// on another number of outputs.
[[nodiscard]] inline Shape target_of_mixture(const char* loss, const Shape& output, Index outputs,
                                             Index features) {
  if (output.back() != outputs) {
    fail<ShapeError>({"loss ", loss, ": needs ", outputs, " outputs, found outputs ", output,
                      "; give the last layer `outputs()` units"});
  }
  Shape shape = output;
  shape[shape.rank() - 1] = features;
  return shape;
}

inline void check_components(const char* loss, const char* what, Index count) {
  constexpr Index most = 1 << 20;
  check_setting(loss, what, static_cast<double>(count), count >= 1 && count <= most,
                "from 1 to 2^20");
}

/// softmax(logits (1 + bias)): the weights of components, of which a bias above 0 favours the
/// likely ones (Graves 2013, equation 62).
template <class Scalar>
[[nodiscard]] std::vector<double> component_weights(const Scalar* logits, Index count,
                                                    double bias) {
  std::vector<double> weights(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < weights.size(); ++k) {
    weights[k] = static_cast<double>(logits[k]) * (1 + bias);
  }
  const double log_sum = log_sum_exp(weights.data(), count);
  for (double& weight : weights) weight = std::exp(weight - log_sum);
  return weights;
}

/// Throws ShapeError unless a row of outputs has `expected` numbers, ValueError on a bias that is
/// not at least 0 and finite.
inline void check_row_of_mixture(const char* whose, Index found, Index expected, double bias) {
  if (found != expected) {
    fail<ShapeError>({whose, ": a distribution has ", expected, " outputs, found ", found});
  }
  check_setting(whose, "bias", bias, bias >= 0, "at least 0 and finite");
}

/// e^(scale x) of each number.
inline void exponentials(const double* from, Index count, double scale, double* to) {
  transform(
      count, to, [scale](auto x) { return normal_exp(decltype(x)::broadcast(scale) * x); }, from);
}

/// The shares of the components in the likelihood, in place of log p of each with its weight.
/// Returns the negative log likelihood.
inline double share_components(double* log_densities, Index components) {
  const double log_sum = log_sum_exp(log_densities, components);
  for (Index k = 0; k < components; ++k) log_densities[k] -= log_sum;
  exponentials(log_densities, components, 1, log_densities);
  return -log_sum;
}

inline constexpr double log_two_pi = 1.8378770664093453;

}  // namespace strata::detail::inline STRATA_RUNTIME

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

/// The negative log likelihood of a pen's movement (Graves 2013, section 4.1, equations 18 to 26):
/// a mixture of K normal distributions of (dx, dy), each with a correlation, and the bit that ends
/// a stroke. y is (dx, dy, end) with an end of 0 or 1. A prediction has 6 K + 1 numbers: the logit
/// of the end, the logits of the weights (K), the means of dx (K) and of dy (K), the logarithms of
/// their standard deviations (K) and (K), and the numbers whose tanh is the correlation (K).
///
///   const PenDensity pen{.components = 20};
///   Sequential model{LSTM{100, return_sequences}, Dense{pen.outputs()}};   // 121 outputs
///   model.compile(Adam{}, pen);
struct PenDensity {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "pen_density";
  /// K, at least 1. 20, as in the paper.
  Index components = 20;

  /// Throws ValueError on a count below 1.
  void check() const { detail::check_components("PenDensity", "components", components); }

  /// 6 K + 1: the units of the last layer.
  [[nodiscard]] Index outputs() const noexcept { return 6 * components + 1; }

  /// 3 features. Throws ShapeError on other than `outputs()` outputs.
  [[nodiscard]] Shape target_shape(const Shape& output) const {
    return detail::target_of_mixture(name, output, outputs(), 3);
  }

  /// Throws ValueError on an end that is neither 0 nor 1.
  template <class Scalar>
  static void check_target(const Scalar* target, Index) {
    if (target[2] == Scalar(0) || target[2] == Scalar(1)) return;
    detail::fail<ValueError>({"the end of a stroke must be 0 or 1, found ", target[2]});
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index, Scalar* gradient) const {
    const Index count = components;
    std::vector<double> memory(static_cast<std::size_t>(11 * count));
    const auto part = [&](Index i) { return memory.data() + i * count; };
    for (Index i = 0; i < 6 * count; ++i)
      memory[static_cast<std::size_t>(i)] = static_cast<double>(prediction[1 + i]);
    double* const weights = part(0);
    const double* const means[] = {part(1), part(2)};
    const double* const log_deviations[] = {part(3), part(4)};
    const double* const correlations = part(5);
    double* const shares = part(6);
    double* const precisions[] = {part(7), part(8)};
    double* const decays = part(9);
    double* const log_grows = part(10);

    const double log_sum = detail::log_sum_exp(weights, count);
    for (Index axis : {0, 1})
      detail::exponentials(log_deviations[axis], count, -1, precisions[axis]);
    // tanh(r) = (1 - e) / (1 + e) and 1 - tanh(r)^2 = 4 e / (1 + e)^2 for e = exp(-2 r), without a
    // difference of nearly equal numbers where |r| is large.
    detail::transform(
        count, decays,
        [](auto r) { return detail::normal_exp(decltype(r)::broadcast(-2) * abs(r)); },
        correlations);
    detail::transform(
        count, log_grows,
        [](auto e) {
          using P = decltype(e);
          const P sum = P::broadcast(1) + e;
          return log(sum * sum / (P::broadcast(4) * e));
        },
        static_cast<const double*>(decays));
    const auto standardised = [&](Index k) {
      return standardise(target, means[0][k], means[1][k], precisions[0][k], precisions[1][k],
                         correlations[k] < 0 ? -1 : 1, decays[k]);
    };
    for (Index k = 0; k < count; ++k) {
      const Standardised z = standardised(k);
      weights[k] -= log_sum;
      shares[k] = weights[k] - detail::log_two_pi - log_deviations[0][k] - log_deviations[1][k] +
                  log_grows[k] / 2 - z.grow * z.square / 2;
    }
    const double logit = static_cast<double>(prediction[0]);
    const double end = static_cast<double>(target[2]);
    const double of_end =
        std::max(logit, 0.0) - logit * end + std::log1p(std::exp(-std::abs(logit)));
    const double loss = detail::share_components(shares, count) + of_end;
    if (!gradient) return loss;

    detail::exponentials(weights, count, 1, weights);
    gradient[0] = static_cast<Scalar>(1 / (1 + std::exp(-logit)) - end);
    for (Index k = 0; k < count; ++k) {
      const Standardised z = standardised(k);
      const double toward_x = z.grow * (z.x - z.correlation * z.y);
      const double toward_y = z.grow * (z.y - z.correlation * z.x);
      const auto put = [&](Index i, double slope) {
        gradient[1 + i * count + k] = static_cast<Scalar>(slope);
      };
      put(0, weights[k] - shares[k]);
      put(1, -shares[k] * precisions[0][k] * toward_x);
      put(2, -shares[k] * precisions[1][k] * toward_y);
      put(3, shares[k] * (1 - z.x * toward_x));
      put(4, shares[k] * (1 - z.y * toward_y));
      put(5, -shares[k] * (z.x * z.y + z.correlation * (1 - z.grow * z.square)));
    }
    return loss;
  }

  /// The distribution that a row of outputs describes; bias and errors as of MixtureDensity (Graves
  /// 2013, equations 61 and 62).
  template <class Scalar>
  [[nodiscard]] PenMixture distribution(std::span<Scalar> row, double bias = 0) const {
    detail::check_row_of_mixture("PenDensity", static_cast<Index>(row.size()), outputs(), bias);
    const auto number = [&](Index part, Index k) {
      return static_cast<double>(row[static_cast<std::size_t>(1 + part * components + k)]);
    };
    PenMixture mixture;
    mixture.weights = detail::component_weights(row.data() + 1, components, bias);
    for (Index k = 0; k < components; ++k) {
      mixture.means_x.push_back(number(1, k));
      mixture.means_y.push_back(number(2, k));
      mixture.deviations_x.push_back(std::exp(number(3, k) - bias));
      mixture.deviations_y.push_back(std::exp(number(4, k) - bias));
      mixture.correlations.push_back(std::tanh(number(5, k)));
    }
    mixture.end_probability = 1 / (1 + std::exp(-static_cast<double>(row[0])));
    return mixture;
  }

 private:
  /// A target measured from a mean in standard deviations.
  struct Standardised {
    double x;
    double y;
    double correlation;
    /// 1 / (1 - correlation^2)
    double grow;
    /// x^2 + y^2 - 2 correlation x y
    double square;
  };

  /// `sign` and `decay`: the sign of the number r whose tanh is the correlation, and exp(-2 |r|).
  template <class Scalar>
  [[nodiscard]] static Standardised standardise(const Scalar* target, double mean_x, double mean_y,
                                                double precision_x, double precision_y, double sign,
                                                double decay) {
    Standardised z{};
    z.x = (static_cast<double>(target[0]) - mean_x) * precision_x;
    z.y = (static_cast<double>(target[1]) - mean_y) * precision_y;
    z.correlation = sign * (1 - decay) / (1 + decay);
    z.grow = (1 + decay) * (1 + decay) / (4 * decay);
    const double apart = z.x - sign * z.y;
    z.square = apart * apart + 4 * decay / (1 + decay) * sign * z.x * z.y;
    return z;
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<MixtureDensity> : HeldAs<HeldFigure::mixture_density> {};
template <>
struct Held<PenDensity> : HeldAs<HeldFigure::pen_density> {};

}  // namespace strata::detail
