#pragma once

#include <span>
#include <utility>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/weight_rules.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// The way of a gradient into the weights, which ends with finite numbers everywhere or changes
/// nothing: the optimizer's update, then the constraints, then the layers' own numbers, such as
/// moving statistics.
template <class Scalar>
class GuardedUpdate {
 public:
  /// Throws ValueError on rules that make no sense.
  GuardedUpdate(Optimizer<Scalar> how, WeightRules weight_rules)
      : optimizer(std::move(how)), rules(std::move(weight_rules)) {
    check_rule_settings(rules);
  }

  /// One update of all parameters, of whose gradients, in order, `gradient` consists; it is clipped
  /// in place. absorb() gives the layers the numbers that training changes besides the weights;
  /// they must be among the parameters. advice() names what the user may change where a gradient is
  /// not finite.
  ///
  /// Throws ValueError when a gradient, or a number of a parameter or of the optimizer afterwards,
  /// is not finite. After an exception, from absorb too, parameters and optimizer are as before.
  template <class Advice, class Absorb>
  void operator()(const std::vector<Parameter<Scalar>>& parameters, std::span<Scalar> gradient,
                  const Threads& threads, Advice advice, Absorb absorb) {
    if (!all_finite(std::span<const Scalar>(gradient), threads)) {
      fail_not_finite("a gradient is not finite", advice());
    }
    optimizer.apply(parameters, gradient, threads);
    try {
      for (const auto& parameter : parameters) {
        for (const auto& [name, rule] : rules.constraints) {
          if (is_named(parameter.name, name)) constrain(rule, parameter);
        }
      }
      absorb();
      for (const auto& parameter : parameters) {
        // The optimizer has looked at its own results.
        if (parameter.trainable && rules.constraints.empty()) continue;
        if (all_finite(std::span<const Scalar>(parameter.values), threads)) continue;
        fail_not_finite("a weight is not finite after the update", optimizer.advice());
      }
    } catch (...) {
      take_back(parameters);
      throw;
    }
  }

  /// Takes the last update back, where there is one that has not been taken back: parameters and
  /// optimizer are as before it. For whoever finds its weights bad only later.
  void take_back(const std::vector<Parameter<Scalar>>& parameters) noexcept {
    optimizer.undo(parameters);
  }

  Optimizer<Scalar> optimizer;
  WeightRules rules;
};

}  // namespace strata::inline STRATA_TARGET::detail
