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
#include <strata/io/torch/literal_text.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
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
  /// The kind, where `.modules` says it.
  TorchSaidKind said_kind = TorchSaidKind::none;
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

/// An entry of `.modules` that says the kind of its module.
struct TorchSaidEntry {
  TorchSaidKind said;
  TorchModule::Kind kind;
  const char* name;
};

/// Null where an entry says no kind.
[[nodiscard]] inline const TorchSaidEntry* said_entry(TorchSaidKind said) {
  using Kind = TorchModule::Kind;
  static constexpr TorchSaidEntry entries[] = {
      {TorchSaidKind::prelu, Kind::PReLU, "PyTorchPReLU"},
      {TorchSaidKind::embedding, Kind::Embedding, "PyTorchEmbedding"},
      {TorchSaidKind::linear, Kind::Linear, "PyTorchLinear"},
      {TorchSaidKind::layer_norm, Kind::LayerNorm, "PyTorchLayerNorm"}};
  for (const TorchSaidEntry& entry : entries) {
    if (entry.said == said) return &entry;
  }
  return nullptr;
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
  if (const TorchSaidEntry* said = said_entry(link.said_kind)) {
    const std::string entry = std::string(said->name) + "{" + quoted + "}";
    return link.activation ? entry + ", " + code_text(PyTorchFunction(*link.activation)) : entry;
  }
  const std::string both =
      link.activation ? quoted + ", " + code_text(PyTorchFunction(*link.activation)) : quoted;
  return link.residual     ? "PyTorchResidual{" + both + "}"
         : link.activation ? "{" + both + "}"
                           : quoted;
}

/// The chain of these modules, in their order, without functions.
[[nodiscard]] inline TorchChain chain_of(std::vector<TorchModule> modules,
                                         const std::vector<std::string>& without) {
  TorchChain chain{.links = {}, .without = without};
  for (auto& module : modules) chain.links.push_back({std::move(module)});
  // Alone in front, the name of the module would say an embedding.
  if (!chain.links.empty() && chain.links[0].module.kind == TorchModule::Kind::Linear &&
      chain.links[0].module.may_be_linear) {
    chain.links[0].said_kind = TorchSaidKind::linear;
  }
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
    // An embedding runs first, and nothing can be added to ids.
    if (!chain.links.empty() || entry.residual || entry.kind == TorchSaidKind::linear) {
      link.module = link.module.as_linear();
    }
    if (const TorchSaidEntry* said = said_entry(entry.kind)) {
      if (link.module.kind != said->kind) {
        here.refuse(std::string(said->name) + " is for an " + "nn." +
                    TorchModule::kind_name(said->kind) + ", and this is " + link.module.text());
      }
    }
    link.said_kind = entry.kind;
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
