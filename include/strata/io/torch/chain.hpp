#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/names.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/target.hpp>

// The modules of a PyTorch model in the order in which they run, with what runs between them.

namespace strata::inline STRATA_TARGET::io {

/// A module, and what runs right before and right after it.
struct TorchLink {
  TorchModule module;
  std::vector<PyTorchFunction> before = {};
  std::optional<Activation> activation = {};
  bool residual = false;
  /// Of a recurrent module: what is taken of its outputs.
  PyTorchOutput output = PyTorchOutput::sequences;
};

struct TorchChain {
  std::vector<TorchLink> links;
  /// What runs after the last module.
  std::vector<PyTorchFunction> after = {};
};

/// Whether nothing but the modules runs.
[[nodiscard]] inline bool is_plain(const TorchChain& chain) {
  const auto is_nothing = [](const PyTorchFunction& function) {
    const auto* activation = std::get_if<Activation>(&function);
    return activation && *activation == Activation::linear;
  };
  const auto are_nothing = [&](const std::vector<PyTorchFunction>& functions) {
    return std::all_of(functions.begin(), functions.end(), is_nothing);
  };
  return are_nothing(chain.after) &&
         std::all_of(chain.links.begin(), chain.links.end(), [&](const TorchLink& link) {
           return are_nothing(link.before) && !link.residual &&
                  link.output == PyTorchOutput::sequences &&
                  link.activation.value_or(Activation::linear) == Activation::linear;
         });
}

/// Text as a literal of C++.
[[nodiscard]] inline std::string literal_text(std::string_view text) {
  std::string literal = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7f) {
      const char digits[] = {'\\', static_cast<char>('0' + code / 64),
                             static_cast<char>('0' + code / 8 % 8),
                             static_cast<char>('0' + code % 8)};
      literal.append(digits, sizeof digits);
    } else {
      if (letter == '"' || letter == '\\') literal += '\\';
      literal += letter;
    }
  }
  return literal + "\"";
}

/// A function as `.modules` spells it.
[[nodiscard]] inline std::string code_text(const PyTorchFunction& function) {
  if (const auto* activation = std::get_if<Activation>(&function)) {
    return "Activation::" + std::string(name(*activation));
  }
  if (const auto* dropout = std::get_if<Dropout<float>>(&function)) {
    return "Dropout{" + detail::number_text(dropout->rate()) + "}";
  }
  return std::holds_alternative<LastStep<float>>(function) ? "LastStep{}" : "MeanOverSteps{}";
}

/// A module as `.modules` spells it.
[[nodiscard]] inline std::string code_text(const TorchLink& link) {
  const std::string quoted = literal_text(link.module.name);
  const std::string both =
      link.activation ? quoted + ", " + code_text(PyTorchFunction(*link.activation)) : quoted;
  return link.residual     ? "PyTorchResidual{" + both + "}"
         : link.activation ? "{" + both + "}"
                           : quoted;
}

/// Whether `.modules` names something between a module and the one before it.
[[nodiscard]] inline bool is_said(const TorchChain& chain, std::size_t i) {
  if (!chain.links[i].before.empty()) return true;
  return i > 0 &&
         (chain.links[i - 1].activation || chain.links[i - 1].output != PyTorchOutput::sequences);
}

/// Why something without weights must run before a module, though nothing is named there: its
/// number leaves out numbers, as that of "head.2" after "head.0" does, or it is an nn.Linear right
/// after another. Empty where nothing must.
[[nodiscard]] inline std::string unsaid_before(const TorchChain& chain, std::size_t i) {
  const auto& links = chain.links;
  if (i > 0 && links[i].module.kind == TorchModule::Kind::Linear &&
      links[i - 1].module.kind == TorchModule::Kind::Linear && !is_said(chain, i) &&
      !links[i - 1].residual) {
    return "nn.Linear after nn.Linear, " + in_quotes(links[i - 1].module.name) + " and " +
           in_quotes(links[i].module.name) + ", would be of no use without a function between them";
  }
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
    const unsigned long missing = previous ? value(*previous) + 1 : 0;
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

/// The line of code that says this chain; "?" where something must be said and is not.
/// `arguments`: after the file, such as ", model". `with_functions`: whether "?" is needed.
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
  return text + "}})";
}

inline constexpr const char* instead_of_question_marks =
    "in place of ? write Activation::relu or another one, Dropout{0.5}, LastStep{}, "
    "MeanOverSteps{}, or Activation::linear where nothing runs";

/// Refuses a chain in which something runs that is not named.
inline void require_said(const TorchChain& chain, const Where& where) {
  for (std::size_t i = 0; i < chain.links.size(); ++i) {
    const std::string why = unsaid_before(chain, i);
    if (why.empty()) continue;
    where.refuse(why + "; say by .modules what runs there, " + instead_of_question_marks + ":\n  " +
                 code_text(chain, where, "", true));
  }
}

[[nodiscard]] inline TorchChain chain_of(std::vector<TorchModule> modules) {
  TorchChain chain;
  for (auto& module : modules) chain.links.push_back({std::move(module)});
  return chain;
}

/// The chain that `.modules` names. Throws FormatError, naming the entry, unless all modules are in
/// it once, and where a residual has other outputs than inputs.
[[nodiscard]] inline TorchChain named_chain(std::vector<TorchModule> found,
                                            const std::vector<PyTorchModule>& entries,
                                            const Where& where) {
  TorchChain chain;
  std::vector<PyTorchFunction> waiting;
  for (const PyTorchModule& entry : entries) {
    TorchLink* const last = chain.links.empty() || !waiting.empty() ? nullptr : &chain.links.back();
    if (!entry.name) {
      const PyTorchFunction& function = entry.function;
      const auto* activation = std::get_if<Activation>(&function);
      if (last && activation && !last->activation && !last->residual) {
        last->activation = *activation;
      } else if (last && last->module.is_recurrent() && !last->activation && !last->residual &&
                 last->output == PyTorchOutput::sequences &&
                 std::holds_alternative<LastStep<float>>(function)) {
        last->output = PyTorchOutput::last_step;
      } else {
        waiting.push_back(function);
      }
      continue;
    }
    const auto module = std::find_if(found.begin(), found.end(), [&](const TorchModule& one) {
      return one.name == *entry.name;
    });
    const Where here = where.in(in_quotes(*entry.name));
    if (module == found.end()) {
      std::vector<std::string> names;
      for (const auto& one : found) names.push_back(in_quotes(one.name));
      here.refuse("there is no such module, or it is named twice in .modules; there are: " +
                  list_text(names));
    }
    TorchLink link{std::move(*module), std::exchange(waiting, {})};
    found.erase(module);
    link.activation = entry.activation;
    link.residual = entry.residual;
    chain.links.push_back(std::move(link));
  }
  chain.after = std::move(waiting);
  if (!found.empty()) where.in(in_quotes(found.front().name)).refuse("is not named in .modules");
  return chain;
}

}  // namespace strata::inline STRATA_TARGET::io
