#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Whether a rule with a name holds for a parameter: the name is that of the parameter, or its
/// begin up to a dot, as "lstm" for "lstm.kernel", or its end behind a dot, as "kernel".
[[nodiscard]] inline bool is_named(std::string_view parameter, std::string_view rule) {
  if (rule.empty() || rule.size() > parameter.size()) return false;
  if (rule.size() == parameter.size()) return parameter == rule;
  return (parameter.starts_with(rule) && parameter[rule.size()] == '.') ||
         (parameter.ends_with(rule) && parameter[parameter.size() - rule.size() - 1] == '.');
}

/// Throws ValueError where a rule names no parameter. `who` asks.
template <class Parameters>
void check_named(const char* who, std::string_view rule, const Parameters& parameters) {
  for (const auto& parameter : parameters) {
    if (is_named(parameter.name, rule)) return;
  }
  fail<ValueError>({who, ": the model has no parameter named ", std::string(rule)});
}

/// Which parameters of a model are trained, and how fast, by name. Of several rules for a parameter
/// the last holds.
struct ParameterRules {
  std::vector<std::pair<std::string, bool>> trainable;
  /// Factors of the learning rate.
  std::vector<std::pair<std::string, double>> rates;

  [[nodiscard]] bool empty() const noexcept { return trainable.empty() && rates.empty(); }

  void set_trainable(const std::string& name, bool value) { set(trainable, name, value); }
  void set_rate(const std::string& name, double factor) { set(rates, name, factor); }

  /// Throws ValueError on a rule that names none of the parameters.
  template <class Parameters>
  void check(const Parameters& parameters) const {
    for (const auto& rule : trainable) check_named("set_trainable", rule.first, parameters);
    for (const auto& rule : rates) check_named("rates", rule.first, parameters);
  }

  /// Forgets the rules that name none of the parameters.
  template <class Parameters>
  void keep_named(const Parameters& parameters) {
    const auto names_none = [&](const auto& rule) {
      return detail::none_of(
          parameters, [&](const auto& parameter) { return is_named(parameter.name, rule.first); });
    };
    std::erase_if(trainable, names_none);
    std::erase_if(rates, names_none);
  }

  /// Whether the last rule for a parameter keeps training from changing it.
  [[nodiscard]] bool freezes(std::string_view parameter) const {
    bool wanted = true;
    for (const auto& [name, value] : trainable) {
      if (is_named(parameter, name)) wanted = value;
    }
    return !wanted;
  }

  /// Applies the rules to a parameter. One that its layer does not train stays as it is.
  template <class Parameter>
  void apply(Parameter& parameter) const {
    parameter.trainable = parameter.trainable && !freezes(parameter.name);
    for (const auto& [name, factor] : rates) {
      if (is_named(parameter.name, name)) parameter.rate = factor;
    }
  }

 private:
  /// The rule comes last, and only once.
  template <class Value>
  static void set(std::vector<std::pair<std::string, Value>>& rules, const std::string& name,
                  Value value) {
    std::erase_if(rules, [&](const auto& rule) { return rule.first == name; });
    rules.emplace_back(name, value);
  }
};

}  // namespace strata::detail::inline STRATA_RUNTIME
