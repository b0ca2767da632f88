#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/base/settings.hpp>
#include <strata/contracts/parameter.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

// Penalties and limits of weights in training, with Keras' formulas.

namespace strata::inline STRATA_RUNTIME {

/// A penalty that is added to the loss: l1 times the sum of |w|, and l2 times the sum of w^2. Both
/// factors are at least 0 and, as in Keras, 0 unless they are set.
///
///   L1L2{.l1 = 1e-5, .l2 = 1e-4}
struct L1L2 {
  double l1 = 0;  ///< factor of the sum of |w|
  double l2 = 0;  ///< factor of the sum of w^2
};
/// A penalty of l1 times the sum of |w|, which draws weights to 0.
///
///   L1{1e-5}
struct L1 {
  /// At least 0. Keras' default.
  double l1 = 0.01;
  operator L1L2() const noexcept { return {l1, 0}; }
};
/// A penalty of l2 times the sum of w^2, which keeps weights small.
///
///   L2{1e-4}
struct L2 {
  /// At least 0. Keras' default.
  double l2 = 0.01;
  operator L1L2() const noexcept { return {0, l2}; }
};

/// Limits the Euclidean norm of the weights of each output; of a bias, the norm of the whole bias.
///
///   MaxNorm{.max_value = 3}
struct MaxNorm {
  /// The largest norm, above 0. Keras' default; beside dropout, 3 to 4 is usual (Srivastava et al.
  /// 2014).
  double max_value = 2;
};
/// Scales the weights of each output to the Euclidean norm 1; of a bias, the whole bias.
struct UnitNorm {};
/// Makes negative weights zero.
struct NonNegative {};
/// Moves the Euclidean norm of the weights of each output towards the range from min_value to
/// max_value, where it lies outside. Keras' defaults, which limit the norm to 1.
///
///   MinMaxNorm{.min_value = 0.5, .max_value = 2, .rate = 0.1}
struct MinMaxNorm {
  double min_value = 0;  ///< the begin of the range, at least 0; 0: no lower limit
  double max_value = 1;  ///< the end of the range, above 0 and at least min_value
  double rate = 1;  ///< the share of the way that each update goes, from 0 to 1; 1: the whole way
};
using Constraint = std::variant<MaxNorm, UnitNorm, NonNegative, MinMaxNorm>;

/// Penalties and limits for parameters by name: "lstm.kernel" names one parameter, "kernel" the
/// kernels of all layers. A rule holds for each parameter that has the rule's name, or whose name
/// ends with a dot and the rule's name.
///
///   model.compile(Adam{}, MeanSquaredError{}, {}, {.regularizers = {{"kernel", L2{1e-4}}},
///                                                  .constraints = {{"lstm.bias", MaxNorm{3}}}});
struct WeightRules {
  /// Penalties, by default none. A parameter that several rules name has the sum of their
  /// penalties.
  std::vector<std::pair<std::string, L1L2>> regularizers = {};
  /// Limits, by default none. They are applied after each update, in this order.
  std::vector<std::pair<std::string, Constraint>> constraints = {};

  [[nodiscard]] bool empty() const noexcept { return regularizers.empty() && constraints.empty(); }
};

}  // namespace strata::inline STRATA_RUNTIME

namespace strata::detail::inline STRATA_RUNTIME {

[[nodiscard]] inline bool is_named(std::string_view parameter, std::string_view rule) {
  if (!parameter.ends_with(rule)) return false;
  return parameter.size() == rule.size() || parameter[parameter.size() - rule.size() - 1] == '.';
}

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
    if (const auto* max = std::get_if<MaxNorm>(&rule)) {
      check(name, "max_value", max->max_value, max->max_value > 0, "above 0 and finite");
    }
    if (const auto* both = std::get_if<MinMaxNorm>(&rule)) {
      check(name, "min_value", both->min_value, both->min_value >= 0, not_negative);
      check(name, "max_value", both->max_value,
            both->max_value > 0 && both->max_value >= both->min_value,
            "above 0, finite and at least min_value");
      check(name, "rate", both->rate, both->rate >= 0 && both->rate <= 1, "from 0 to 1");
    }
  }
}

/// Throws ValueError on a rule that names no parameter.
template <class Parameters>
void check_rules(const WeightRules& rules, const Parameters& parameters) {
  const auto check = [&](const std::string& name) {
    for (const auto& parameter : parameters) {
      if (is_named(parameter.name, name)) return;
    }
    fail<ValueError>({"compile: the model has no parameter named ", name});
  };
  for (const auto& [name, rule] : rules.regularizers) check(name);
  for (const auto& [name, rule] : rules.constraints) check(name);
}

/// The sum of all penalties. Its derivatives are added to `gradient`, unless that is empty.
template <class Parameters, class Scalar>
[[nodiscard]] double penalty(const WeightRules& rules, const Parameters& parameters,
                             std::span<Scalar> gradient) {
  double sum = 0;
  for (const auto& parameter : parameters) {
    for (const auto& [name, rule] : rules.regularizers) {
      if (!is_named(parameter.name, name)) continue;
      for (std::size_t i = 0; i < parameter.values.size(); ++i) {
        const auto w = static_cast<double>(parameter.values[i]);
        sum += rule.l1 * std::abs(w) + rule.l2 * w * w;
        if (gradient.empty()) continue;
        const double sign = w > 0 ? 1 : w < 0 ? -1 : 0;
        gradient[i] += static_cast<Scalar>(rule.l1 * sign + 2 * rule.l2 * w);
      }
    }
    if (!gradient.empty()) gradient = gradient.subspan(parameter.values.size());
  }
  return sum;
}

/// The factor for weights of a given norm with which they satisfy a constraint. As Keras does, it
/// adds 1e-7 to the norm before it divides.
[[nodiscard]] inline double norm_factor(const Constraint& constraint, double norm) {
  constexpr double epsilon = 1e-7;
  if (const auto* max = std::get_if<MaxNorm>(&constraint)) {
    return std::clamp(norm, 0.0, max->max_value) / (epsilon + norm);
  }
  if (const auto* both = std::get_if<MinMaxNorm>(&constraint)) {
    const double wanted =
        both->rate * std::clamp(norm, both->min_value, both->max_value) + (1 - both->rate) * norm;
    return wanted / (epsilon + norm);
  }
  return 1 / (epsilon + norm);
}

/// The Euclidean norm of every `stride`-th weight, from the first on.
template <class Scalar>
[[nodiscard]] double norm_of(std::span<const Scalar> weights, std::size_t first,
                             std::size_t stride) {
  const auto norm_after = [&](double divisor) {
    double sum = 0;
    for (std::size_t i = first; i < weights.size(); i += stride) {
      const double part = static_cast<double>(weights[i]) / divisor;
      sum += part * part;
    }
    return std::sqrt(sum);
  };
  const double norm = norm_after(1);
  constexpr double smallest_exact = 1e-140;
  if (is_finite(norm) && norm > smallest_exact) return norm;
  // The squares are too large for double, or so small that they have lost digits: the norm is
  // computed of weights that are divided by the largest one.
  double largest = 0;
  for (std::size_t i = first; i < weights.size(); i += stride) {
    largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
  }
  return largest == 0 ? 0 : largest * norm_after(largest);
}

/// Changes the weights of one parameter so that they satisfy a constraint.
template <class Scalar>
void constrain(const Constraint& constraint, const Parameter<Scalar>& parameter) {
  if (std::holds_alternative<NonNegative>(constraint)) {
    for (Scalar& w : parameter.values) w = std::max(w, Scalar(0));
    return;
  }
  const auto columns =
      static_cast<std::size_t>(parameter.shape.rank() == 1 ? 1 : parameter.shape.back());
  for (std::size_t column = 0; column < columns; ++column) {
    const double factor = norm_factor(
        constraint, norm_of(std::span<const Scalar>(parameter.values), column, columns));
    for (std::size_t i = column; i < parameter.values.size(); i += columns) {
      parameter.values[i] = static_cast<Scalar>(static_cast<double>(parameter.values[i]) * factor);
    }
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
