#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/model/mixtures.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/any_loss.hpp>
#include <strata/train/mixture_rows.hpp>

namespace strata::inline STRATA_RUNTIME {

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
        (std::max)(logit, 0.0) - logit * end + std::log1p(std::exp(-std::abs(logit)));
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
struct Held<PenDensity> : HeldAs<HeldFigure::pen_density> {};

}  // namespace strata::detail
