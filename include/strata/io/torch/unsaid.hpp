#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include <strata/io/common/where.hpp>
#include <strata/io/torch/chain.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/names.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/io/torch/without.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

// What `.modules` must say, since no state_dict holds it, and the line of code that says it.

namespace strata::inline STRATA_RUNTIME::io {

/// Whether `.modules` names a function between module i and the module before it.
[[nodiscard]] inline bool is_said(const TorchChain& chain, std::size_t i) {
  if (!chain.links[i].before.empty()) return true;
  return i > 0 &&
         (chain.links[i - 1].activation || chain.links[i - 1].output != PyTorchOutput::sequences);
}

/// Why a function must run between an nn.Linear and module i, an nn.Linear too, though `.modules`
/// names none; empty where there is no such reason.
[[nodiscard]] inline std::string unsaid_between_linears(const TorchChain& chain, std::size_t i) {
  const auto& links = chain.links;
  // Behind the first normalization in front of module i.
  std::size_t at = i;
  while (at > 0 && !is_said(chain, at) && !links[at - 1].residual &&
         links[at - 1].module.is_normalization()) {
    --at;
  }
  if (at == 0 || is_said(chain, at) || links[at - 1].residual || !links[i].module.is_linear() ||
      !links[at - 1].module.is_linear()) {
    return {};
  }
  const std::string first = links[at - 1].module.class_name();
  const std::string second = links[i].module.class_name();
  return second + " after " + first + ", " + in_quotes(links[at - 1].module.name) + " and " +
         in_quotes(links[i].module.name) +
         (at == i ? ", would be of no use without a function between them"
                  : ", mostly have a function between them besides the normalization");
}

/// Whether a module of this name, or modules within it, are left out.
[[nodiscard]] inline bool is_left_out(const TorchChain& chain, const std::string& name) {
  return detail::any_of(chain.without, [&](const std::string& module) {
    return lies_in(name, module) || lies_in(module, name);
  });
}

/// The reason why a function must run before module i, though `.modules` names none there; empty
/// where there is no such reason. There are two: numbers are missing in the names, such as 1
/// between "head.0" and "head.2", or an nn.Linear follows directly on an nn.Linear.
[[nodiscard]] inline std::string unsaid_before(const TorchChain& chain, std::size_t i) {
  const auto& links = chain.links;
  std::string between = unsaid_between_linears(chain, i);
  if (!between.empty()) return between;
  const TorchName here(links[i].module.name);
  for (std::size_t part = 0; part < here.size(); ++part) {
    if (!here.is_number(part)) continue;
    const std::string parent = here.before(part);
    const std::string number = here.number(part);
    std::optional<std::string> previous;
    std::size_t previous_at = 0;
    bool is_first = true;
    for (std::size_t j = 0; j < links.size(); ++j) {
      const TorchName other(links[j].module.name);
      if (other.size() <= part || !other.is_number(part) || other.before(part) != parent) continue;
      const std::string its = other.number(part);
      if (its == number) {
        is_first = is_first && j >= i;
      } else if (TorchName::is_less(its, number) &&
                 (!previous || !TorchName::is_less(its, *previous))) {
        previous = its;
        previous_at = j;
      }
    }
    if (!is_first) continue;
    const auto value = [](const std::string& digits) -> unsigned long {
      return digits.size() > 9 ? ~0ul : digits.empty() ? 0 : std::stoul(digits);
    };
    unsigned long missing = previous ? value(*previous) + 1 : 0;
    while (is_left_out(chain, parent + std::to_string(missing))) ++missing;
    if (value(number) == missing) continue;
    bool said = is_said(chain, i);
    for (std::size_t j = previous_at + 1; previous && j < i; ++j) said = said || is_said(chain, j);
    if (said) continue;
    return in_quotes(parent + std::to_string(missing)) +
           " has no tensors, so something without weights, such as nn.ReLU or nn.Dropout, runs "
           "before " +
           in_quotes(links[i].module.name);
  }
  return {};
}

/// The call of load_pytorch that names this chain by `.modules`. `arguments` go behind the file,
/// such as ", model". `with_functions`: whether "?" stands wherever a function must run that is not
/// named.
[[nodiscard]] inline std::string code_text(const TorchChain& chain, const Where& where,
                                           const std::string& arguments, bool with_functions) {
  std::string text = "load_pytorch(" +
                     (where.text() == "memory" ? "bytes" : literal_text(where.text())) + arguments +
                     ", {.modules = {";
  bool first = true;
  const auto add = [&](const std::string& entry) {
    text += (first ? "" : ", ") + entry;
    first = false;
  };
  for (std::size_t i = 0; i < chain.links.size(); ++i) {
    for (const auto& function : chain.links[i].before) add(code_text(function));
    if (with_functions && !unsaid_before(chain, i).empty()) add("?");
    add(code_text(chain.links[i]));
    if (chain.links[i].output == PyTorchOutput::last_step) add("LastStep{}");
  }
  for (const auto& function : chain.after) add(code_text(function));
  text += "}";
  first = true;
  if (!chain.without.empty()) text += ", .without = {";
  for (const auto& module : chain.without) add(literal_text(module));
  if (!chain.without.empty()) text += "}";
  return text + "})";
}

inline constexpr const char* instead_of_question_marks =
    "in place of ? write Activation::relu or another one, Dropout{0.5}, LastStep{}, "
    "MeanOverSteps{}, or Activation::linear where nothing runs";

/// Throws FormatError when a function must run between two modules that `.modules` does not name,
/// and when it does not say how an nn.Conv1d is padded.
inline void require_said(const TorchChain& chain, const Where& where) {
  for (std::size_t i = 0; i < chain.links.size(); ++i) {
    const std::string why = unsaid_before(chain, i);
    if (why.empty()) continue;
    where.refuse(why + "; say by .modules what runs there, " + instead_of_question_marks + ":\n  " +
                 code_text(chain, where, "", true));
  }
  for (const TorchLink& link : chain.links) {
    if (!needs_padding(link)) continue;
    where.in(in_quotes(link.module.name))
        .refuse("an nn.Conv1d of " + std::to_string(link.module.steps) +
                " steps; say by .modules how its input is padded, Padding::causal with zeros in "
                "front or Padding::valid, and its .dilation_rate unless it is 1:\n  " +
                code_text(chain, where, "", true));
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io
