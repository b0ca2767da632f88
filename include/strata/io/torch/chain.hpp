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
#include <strata/io/torch/without.hpp>
#include <strata/target.hpp>

// The modules of a PyTorch model in the order in which they run, with the functions between them.

namespace strata::inline STRATA_RUNTIME::io {

/// A module of a chain, with the functions right before it and the activation right after it.
struct TorchLink {
  TorchModule module;
  std::vector<PyTorchFunction> before = {};
  std::optional<Activation> activation = {};
  /// Whether the module's input is added to its output, after the activation.
  bool residual = false;
  /// Which steps of a recurrent module's output go on.
  PyTorchOutput output = PyTorchOutput::sequences;
  /// Of an nn.Conv1d, where `.modules` says it.
  std::optional<Conv1DOptions> convolution = {};
};

/// The modules of a model, one after the other.
struct TorchChain {
  std::vector<TorchLink> links;
  /// The functions after the last module, but for its activation.
  std::vector<PyTorchFunction> after = {};
  /// The modules of the file that are left out.
  std::vector<std::string> without = {};
};

/// Whether the chain has modules alone: no functions, no residuals, and all steps go on.
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

/// A text as a string literal of C++, for the lines of code in messages.
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
  if (const auto* dropout = std::get_if<TorchDropout>(&function)) {
    return "Dropout{" + detail::number_text(dropout->rate) + "}";
  }
  if (const auto* relu = std::get_if<ReLUOptions>(&function)) {
    std::string text = "ReLU{{";
    if (relu->max_value) text += ".max_value = " + detail::number_text(*relu->max_value) + ", ";
    text += ".negative_slope = " + detail::number_text(relu->negative_slope);
    if (relu->threshold != 0) text += ", .threshold = " + detail::number_text(relu->threshold);
    return text + "}}";
  }
  if (const auto* elu = std::get_if<ELUOptions>(&function)) {
    return "ELU{{.alpha = " + detail::number_text(elu->alpha) + "}}";
  }
  return std::holds_alternative<TorchLastStep>(function)        ? "LastStep{}"
         : std::holds_alternative<TorchMeanOverSteps>(function) ? "MeanOverSteps{}"
                                                                : "MaxOverSteps{}";
}

/// Whether an nn.Conv1d needs to be told its padding, since it sees more than one step.
[[nodiscard]] inline bool needs_padding(const TorchLink& link) {
  return link.module.kind == TorchModule::Kind::Conv1d && link.module.steps > 1 &&
         !link.convolution;
}

/// A module as `.modules` spells it.
[[nodiscard]] inline std::string code_text(const TorchLink& link) {
  const std::string quoted = literal_text(link.module.name);
  if (needs_padding(link) || link.convolution) {
    std::string options = "?";
    if (link.convolution) {
      options = "Padding::" + std::string(name(link.convolution->padding)) +
                ", .dilation_rate = " + std::to_string(link.convolution->dilation_rate);
    }
    if (link.activation) {
      options += ", .activation = " + code_text(PyTorchFunction(*link.activation));
    }
    return "PyTorchConv1d{" + quoted + ", {.padding = " + options + "}}";
  }
  const std::string both =
      link.activation ? quoted + ", " + code_text(PyTorchFunction(*link.activation)) : quoted;
  return link.residual     ? "PyTorchResidual{" + both + "}"
         : link.activation ? "{" + both + "}"
                           : quoted;
}

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
  return std::ranges::any_of(chain.without, [&](const std::string& module) {
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

/// The chain of these modules, in their order, without functions.
[[nodiscard]] inline TorchChain chain_of(std::vector<TorchModule> modules,
                                         const std::vector<std::string>& without) {
  TorchChain chain{.links = {}, .without = without};
  for (auto& module : modules) chain.links.push_back({std::move(module)});
  return chain;
}

/// The chain that `.modules` names. `found` are the modules of the file, in any order. Throws
/// FormatError, naming the module, unless `.modules` names each of them once and no others.
[[nodiscard]] inline TorchChain named_chain(std::vector<TorchModule> found,
                                            const PyTorchOptions& options, const Where& where) {
  TorchChain chain{.links = {}, .without = options.without};
  std::vector<PyTorchFunction> waiting;
  for (const PyTorchModule& entry : options.modules) {
    TorchLink* const last = chain.links.empty() || !waiting.empty() ? nullptr : &chain.links.back();
    if (!entry.name) {
      const PyTorchFunction& function = entry.function;
      const auto* activation = std::get_if<Activation>(&function);
      if (last && activation && !last->activation && !last->residual) {
        last->activation = *activation;
      } else if (last && last->module.is_recurrent() && !last->activation && !last->residual &&
                 last->output == PyTorchOutput::sequences &&
                 std::holds_alternative<TorchLastStep>(function)) {
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
    if (entry.convolution && link.module.kind != TorchModule::Kind::Conv1d) {
      here.refuse("PyTorchConv1d is for an nn.Conv1d, and this is " + link.module.text());
    }
    link.convolution = entry.convolution;
    link.activation = entry.activation;
    link.residual = entry.residual;
    chain.links.push_back(std::move(link));
  }
  chain.after = std::move(waiting);
  if (!found.empty()) {
    where.in(in_quotes(found.front().name))
        .refuse(
            "is not named in .modules; where the output does not need it, leave it out: .without = "
            "{" +
            literal_text(found.front().name) + "}");
  }
  return chain;
}

}  // namespace strata::inline STRATA_RUNTIME::io
