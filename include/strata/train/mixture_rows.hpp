#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/error.hpp>
#include <strata/kernels/log_softmax.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

// What the losses of mixture density networks (Bishop 1994) have in common: rows of outputs that
// describe a distribution.

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
