#pragma once

#include <span>
#include <utility>
#include <vector>

#include <strata/contracts/parameter.hpp>
#include <strata/error_handler.hpp>
#include <strata/support/threads.hpp>
#include <strata/target.hpp>
#include <strata/train/apply_weight_rules.hpp>
#include <strata/train/not_finite.hpp>
#include <strata/train/optimizer.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// One update of a model's parameters: the optimizer's step, then the constraints, then the numbers
/// that layers change themselves, such as moving statistics. Either all numbers are finite
/// afterwards, or the update changes nothing and throws.
template <class Scalar>
class GuardedUpdate {
 public:
  /// Throws ValueError on rules that make no sense.
  GuardedUpdate(Optimizer<Scalar> how, WeightRules weight_rules)
      : optimizer(std::move(how)), rules(std::move(weight_rules)) {
    check_rule_settings(rules);
  }

  /// Updates all parameters. `gradient` holds the gradients of all parameters in their order, and
  /// is clipped in place. absorb() hands the layers the numbers that training changes besides the
  /// weights; these numbers must be among the parameters. advice() returns a sentence that names
  /// what the user may change where a gradient is not finite.
  ///
  /// Throws ValueError when a gradient is not finite, or when a number of a parameter or of the
  /// optimizer is not finite after the update. After any exception, also one from absorb,
  /// parameters and optimizer are as before.
  template <class Advice, class Absorb>
  void operator()(const std::vector<Parameter<Scalar>>& parameters, std::span<Scalar> gradient,
                  const Threads& threads, Advice advice, Absorb absorb) {
    if (!all_finite_by_threads(std::span<const Scalar>(gradient), threads)) {
      fail_not_finite("a gradient is not finite", advice());
    }
    optimizer.apply(parameters, gradient, threads);
    const auto finish = [&] {
      for (const auto& parameter : parameters) {
        for (const auto& [name, rule] : rules.constraints) {
          if (parameter.trainable && is_named(parameter.name, name)) constrain(rule, parameter);
        }
      }
      absorb();
      for (const auto& parameter : parameters) {
        // The optimizer has checked the weights that it has changed; without constraints they are
        // as it left them.
        if (parameter.trainable && rules.constraints.empty()) continue;
        if (all_finite_by_threads(std::span<const Scalar>(parameter.values), threads)) continue;
        fail_not_finite("a weight is not finite after the update", optimizer.advice());
      }
    };
    undo_on_error(finish, [&] { take_back(parameters); });
  }

  /// Takes the last update back, unless it has been taken back already: parameters and optimizer
  /// are as before the update. For callers that find only later that the new weights are bad, for
  /// example when the loss of the next step is not finite.
  void take_back(const std::vector<Parameter<Scalar>>& parameters) noexcept {
    optimizer.undo(parameters);
  }

  Optimizer<Scalar> optimizer;
  WeightRules rules;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
