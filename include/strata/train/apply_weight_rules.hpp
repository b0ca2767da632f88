#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/contracts/parameter_rules.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>
#include <strata/train/arithmetic.hpp>
#include <strata/train/weight_rules.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws ValueError on penalties and limits that make no sense.
inline void check_rule_settings(const WeightRules& rules) {
  const auto check = [](const std::string& name, const char* setting, double value, bool fits,
                        const char* range) {
    check_setting(("compile: the rule for " + name).c_str(), setting, value, fits, range);
  };
  constexpr const char* not_negative = "at least 0 and finite";
  for (const auto& [name, rule] : rules.regularizers) {
    check(name, "l1", rule.l1, rule.l1 >= 0, not_negative);
    check(name, "l2", rule.l2, rule.l2 >= 0, not_negative);
  }
  for (const auto& [name, rule] : rules.constraints) {
    const MinMaxNorm& norm = rule.norm();
    check(name, "min_value", norm.min_value, norm.min_value >= 0, not_negative);
    check(name, "max_value", norm.max_value, norm.max_value > 0 && norm.max_value >= norm.min_value,
          norm.min_value > 0 ? "above 0, finite and at least min_value" : "above 0 and finite");
    check(name, "rate", norm.rate, norm.rate >= 0 && norm.rate <= 1, "from 0 to 1");
  }
}

/// Throws ValueError on a rule that names no parameter.
template <class Parameters>
void check_rules(const WeightRules& rules, const Parameters& parameters) {
  for (const auto& rule : rules.regularizers) check_named("compile", rule.first, parameters);
  for (const auto& rule : rules.constraints) check_named("compile", rule.first, parameters);
}

/// The sum of the penalties of all trainable parameters. Its derivatives are added to `gradient`,
/// unless that is empty.
template <class Parameters, class Scalar>
[[nodiscard]] double penalty(const WeightRules& rules, const Parameters& parameters,
                             std::span<Scalar> gradient) {
  double sum = 0;
  for (const auto& parameter : parameters) {
    for (const auto& [name, rule] : rules.regularizers) {
      if (!parameter.trainable || !is_named(parameter.name, name)) continue;
      sum = add_penalty(rule, std::span<const Scalar>(parameter.values), gradient, sum);
    }
    if (!gradient.empty()) gradient = gradient.subspan(parameter.values.size());
  }
  return sum;
}

/// The factor for weights of a given norm with which they satisfy the limits. As Keras does, it
/// adds 1e-7 to the norm before it divides.
[[nodiscard]] inline double norm_factor(const MinMaxNorm& limits, double norm) {
  constexpr double epsilon = 1e-7;
  double wanted = std::clamp(norm, limits.min_value, limits.max_value);
  // Rounded in one way with every instruction set.
  if (limits.rate != 1) wanted = std::fma(limits.rate, wanted, (1 - limits.rate) * norm);
  return wanted / (epsilon + norm);
}

/// The Euclidean norm of every `stride`-th weight, from the first on.
template <class Scalar>
[[nodiscard]] double norm_of(std::span<const Scalar> weights, std::size_t first,
                             std::size_t stride) {
  const auto norm_after = [&](double divisor) {
    return std::sqrt(sum_of_squares(weights.subspan(first), stride, divisor));
  };
  const double norm = norm_after(1);
  constexpr double smallest_exact = 1e-140;
  if (is_finite(norm) && norm > smallest_exact) return norm;
  // The squares are too large for double, or so small that they have lost digits: the norm is
  // computed of weights that are divided by the largest one.
  double largest = 0;
  for (std::size_t i = first; i < weights.size(); i += stride) {
    largest = (std::max)(largest, std::abs(static_cast<double>(weights[i])));
  }
  return largest == 0 ? 0 : largest * norm_after(largest);
}

/// Changes the weights of one parameter so that they satisfy a constraint.
template <class Scalar>
void constrain(const Constraint& constraint, const Parameter<Scalar>& parameter) {
  if (constraint.is_non_negative()) {
    for (Scalar& w : parameter.values) w = (std::max)(w, Scalar(0));
    return;
  }
  const auto columns =
      static_cast<std::size_t>(parameter.shape.rank() == 1 ? 1 : parameter.shape.back());
  for (std::size_t column = 0; column < columns; ++column) {
    const double factor = norm_factor(
        constraint.norm(), norm_of(std::span<const Scalar>(parameter.values), column, columns));
    for (std::size_t i = column; i < parameter.values.size(); i += columns) {
      parameter.values[i] = static_cast<Scalar>(static_cast<double>(parameter.values[i]) * factor);
    }
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
