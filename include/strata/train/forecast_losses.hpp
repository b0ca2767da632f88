#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/held.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/train/loss.hpp>

// Losses of forecasts that say how sure they are. A prediction has several numbers for each feature
// of its target.

namespace strata::detail::inline STRATA_RUNTIME {

/// The shape of targets with one feature for each `parts` outputs. Throws ShapeError on outputs
/// that are not a multiple of `parts`. `which` says what the parts are.
[[nodiscard]] inline Shape target_of_parts(const char* loss, const Shape& output, Index parts,
                                           const char* which) {
  if (output.back() % parts != 0) {
    fail<ShapeError>({"loss ", loss, ": needs ", parts, " outputs for each feature of y, ", which,
                      "; found outputs ", output});
  }
  Shape shape = output;
  shape[shape.rank() - 1] = output.back() / parts;
  return shape;
}

}  // namespace strata::detail::inline STRATA_RUNTIME

namespace strata::inline STRATA_RUNTIME {

/// The negative log likelihood of normal distributions, the mean over the features:
/// (log(2 pi) + v + (y - m)^2 exp(-v)) / 2. A prediction has 2 F numbers, the means m and then the
/// logarithms v of the variances; y has F features.
///
///   Sequential model{LSTM{32}, Dense{2}};
///   model.compile(Adam{}, GaussianNLL{});   // y (B, 1)
struct GaussianNLL {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "gaussian_nll";

  /// Half the outputs. Throws ShapeError on an odd number of outputs.
  [[nodiscard]] static Shape target_shape(const Shape& output) {
    return detail::target_of_parts(name, output, 2, "its mean and log variance");
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    constexpr double log_two_pi = 1.8378770664093453;
    const Index features = size / 2;
    const auto count = static_cast<double>(features);
    double sum = 0;
    for (Index f = 0; f < features; ++f) {
      const double log_variance = static_cast<double>(prediction[features + f]);
      const double precision = std::exp(-log_variance);
      const double error = static_cast<double>(prediction[f]) - static_cast<double>(target[f]);
      const double square = error * error * precision;
      sum += (log_two_pi + log_variance + square) / 2;
      if (!gradient) continue;
      gradient[f] = static_cast<Scalar>(error * precision / count);
      gradient[features + f] = static_cast<Scalar>((1 - square) / 2 / count);
    }
    return sum / count;
  }
};

/// The pinball loss of Q quantiles (Koenker & Bassett 1978): the mean over features and quantiles
/// of max(q e, (q - 1) e), where e = y - prediction. Its minimum for the quantile q is the number
/// that y stays below with the probability q. A prediction has Q F numbers, for each feature all
/// quantiles in the order of the list; y has F features.
///
///   Sequential model{LSTM{32}, Dense{3}};
///   model.compile(Adam{}, Quantiles{{0.1, 0.5, 0.9}});   // y (B, 1)
struct Quantiles {
  static constexpr Targets targets = Targets::values;
  static constexpr const char* name = "quantiles";
  /// The quantiles, each above 0 and below 1. The median alone, which makes the loss half the mean
  /// absolute error.
  std::vector<double> quantiles{0.5};

  /// Throws ValueError on an empty list and on quantiles that are not above 0 and below 1.
  void check() const {
    if (quantiles.empty()) detail::raise<ValueError>("Quantiles: there are no quantiles");
    for (const double q : quantiles) {
      detail::check_setting("Quantiles", "a quantile", q, q > 0 && q < 1, "above 0 and below 1");
    }
  }

  /// The outputs divided by the number of quantiles. Throws ShapeError where that is no whole
  /// number.
  [[nodiscard]] Shape target_shape(const Shape& output) const {
    const auto count = static_cast<Index>(quantiles.size());
    return detail::target_of_parts(name, output, count, "one for each quantile");
  }

  template <class Scalar>
  double operator()(const Scalar* prediction, const Scalar* target, Index size,
                    Scalar* gradient) const {
    const auto count = static_cast<Index>(quantiles.size());
    double sum = 0;
    for (Index i = 0; i < size; ++i) {
      const double q = quantiles[static_cast<std::size_t>(i % count)];
      const double error =
          static_cast<double>(target[i / count]) - static_cast<double>(prediction[i]);
      const double slope = error > 0 ? q : error < 0 ? q - 1 : 0;
      sum += slope * error;
      if (gradient) gradient[i] = static_cast<Scalar>(-slope / static_cast<double>(size));
    }
    return sum / static_cast<double>(size);
  }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail {

template <>
struct Held<GaussianNLL> : HeldAs<HeldFigure::gaussian_nll> {};
template <>
struct Held<Quantiles> : HeldAs<HeldFigure::quantiles> {};

}  // namespace strata::detail
