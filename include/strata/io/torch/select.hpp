#pragma once

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/where.hpp>
#include <strata/io/torch/chain.hpp>
#include <strata/io/torch/find_modules.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/io/torch/order.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/io/torch/unsaid.hpp>
#include <strata/target.hpp>

// Chooses the order in which the modules of a file run, or refuses the file when there are several.

namespace strata::inline STRATA_RUNTIME::io {

inline constexpr const char* too_many_orders =
    "its modules may join in too many orders to try; name them in their order by .modules";

/// Throws FormatError when `.inputs` is given and differs from the inputs of the first module.
inline void require_inputs(const std::vector<TorchModule>& ordered, const PyTorchOptions& options,
                           const Where& where) {
  const TorchModule& first = ordered.front();
  const bool is_embedding = first.kind == TorchModule::Kind::Embedding;
  if (options.inputs == Dynamic || (!is_embedding && first.inputs == options.inputs)) return;
  where.in(".inputs").expected("those of the first module, " + first.text(),
                               std::to_string(options.inputs));
}

/// Throws FormatError for modules that may run in several orders. The message lists the calls of
/// load_pytorch that choose each order. `arguments` go behind the file in these calls.
/// `with_functions`: whether the calls must also name the functions between the modules.
[[noreturn]] inline void refuse_orders(const std::vector<TorchModule>& modules,
                                       const TorchOrders& orders, const Where& where,
                                       const std::string& arguments, bool with_functions,
                                       const std::vector<std::string>& without) {
  std::vector<std::string> words;
  for (const auto& module : modules) words.push_back(module.text());
  std::string message = "its modules, " + list_text(words) +
                        ", may run in more than one order; name them in their order by .modules";
  std::string lines;
  bool other_inputs = false;
  const std::size_t count = (std::min)(orders.found().size(), TorchOrders::most);
  for (std::size_t i = 0; i < count; ++i) {
    const auto ordered = in_order(modules, orders.found()[i]);
    const Index inputs = inputs_of(ordered);
    other_inputs = other_inputs || inputs != inputs_of(in_order(modules, orders.found()[0]));
    lines += "\n  " + code_text(chain_of(ordered, without), where, arguments, with_functions);
    if (ordered.front().kind != TorchModule::Kind::Embedding) {
      lines += "  // takes " + std::to_string(inputs) + (inputs == 1 ? " feature" : " features");
    }
  }
  if (!orders.are_all()) lines += "\n  or others";
  if (with_functions && other_inputs) {
    message += ", or the features that the model takes by .inputs";
  }
  if (lines.find("?,") != std::string::npos) {
    message += std::string(", and ") + instead_of_question_marks;
  }
  if (lines.find(".padding = ?") != std::string::npos) {
    message += "; .padding is Padding::causal or Padding::valid";
  }
  where.refuse(message + ":" + lines);
}

/// The entries of `.modules` that say PyTorchEmbedding, for the modules that would join with the
/// others if they were embeddings; empty where there are none.
[[nodiscard]] inline std::string embeddings_text(const std::vector<TorchModule>& found,
                                                 const PyTorchOptions& options) {
  const TorchOrders orders = TorchOrders::by_sizes(as_embeddings(found), options.inputs);
  std::set<std::string> names;
  for (const auto& order : orders.found()) names.insert(found[order[0]].name);
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "; " : ", ") + std::string("if ") + in_quotes(name) +
            " is an nn.Embedding, its entry there is PyTorchEmbedding{" + literal_text(name) + "}";
  }
  return text;
}

/// Reads the first module that `.modules` names, a matrix without a bias, as what joins with the
/// module behind it. Throws FormatError on an nn.Linear that joins only as an nn.Embedding.
inline void read_first(TorchChain& chain, const PyTorchOptions& options, const Where& where) {
  TorchLink& link = chain.links.front();
  const TorchLink* next = nullptr;
  for (const TorchLink& other : chain.links) {
    if (&other != &link && !next && other.module.inputs != Dynamic) next = &other;
  }
  const auto joins = [&](const TorchModule& module) {
    const bool is_embedding = module.kind == TorchModule::Kind::Embedding;
    return (!next || module.outputs() == next->module.inputs) &&
           (options.inputs == Dynamic || (!is_embedding && module.inputs == options.inputs));
  };
  if (joins(link.module)) return;
  const TorchModule linear = link.module.as_linear();
  if (joins(linear)) link.module = linear;
  if (!joins(link.module.as_embedding()) || link.residual ||
      link.said_kind != TorchSaidKind::none) {
    return;
  }
  const std::string name = link.module.name;
  where.in(in_quotes(name))
      .refuse("is read as an nn.Linear of " + std::to_string(link.module.inputs) + " to " +
              std::to_string(link.module.outputs()) + " features without a bias, and " +
              next->module.text() + " takes " + std::to_string(next->module.inputs) +
              "; if it is an nn.Embedding, its entry in .modules is PyTorchEmbedding{" +
              literal_text(name) + "}");
}

/// The modules in the only order that sizes and numbers in names allow, or in the order of
/// recurrent_then_linear. In a file with model_data, recurrent modules come first. Throws
/// FormatError when several orders remain, or none.
[[nodiscard]] inline std::vector<TorchModule> ordered_modules(std::vector<TorchModule> found,
                                                              const TorchStateDict& state,
                                                              const PyTorchOptions& options) {
  const Where& where = state.arrays.where();
  if (state.model_data) {
    std::stable_partition(found.begin(), found.end(),
                          [](const TorchModule& one) { return one.is_recurrent(); });
    return found;
  }
  TorchOrders orders = TorchOrders::by_sizes(found, options.inputs);
  if (orders.found().empty() && !orders.gave_up() && have_embedding(found)) {
    // No embedding can be first: the names of matrices do not say what they are.
    std::vector<TorchModule> linear = as_linear(found);
    TorchOrders others = TorchOrders::by_sizes(linear, options.inputs);
    if (!others.found().empty() || others.gave_up()) {
      found = std::move(linear);
      orders = std::move(others);
    }
  }
  const auto all_in_turn = [&] {
    std::vector<std::string> words;
    for (const auto& module : found) words.push_back(module.text());
    return list_text(words);
  };
  if (orders.found().empty() && orders.gave_up()) where.refuse(too_many_orders);
  if (orders.found().empty()) {
    where.refuse("its modules do not join one after the other by their sizes" +
                 (options.inputs == Dynamic
                      ? std::string()
                      : " to a model of .inputs = " + std::to_string(options.inputs)) +
                 ": " + all_in_turn() + "; name them in their order by .modules" +
                 embeddings_text(found, options));
  }
  if (orders.found().size() == 1 && orders.are_all()) return in_order(found, orders.found()[0]);
  const auto* order = orders.are_all() ? recurrent_then_linear(found, orders.found()) : nullptr;
  if (!order) refuse_orders(found, orders, where, "", true, options.without);
  return in_order(found, *order);
}

/// Gives each module that takes any number of features the number that it gets. Throws FormatError
/// where nothing says it.
inline void give_features(TorchChain& chain, const PyTorchOptions& options, const Where& where) {
  std::vector<TorchModule> modules;
  for (const TorchLink& link : chain.links) modules.push_back(link.module);
  Index features = inputs_of(modules);
  if (features == Dynamic) features = options.inputs;
  for (TorchLink& link : chain.links) {
    TorchModule& module = link.module;
    if (module.inputs == Dynamic && features == Dynamic) {
      where.in(in_quotes(module.name))
          .refuse("takes any number of features; say by .inputs how many there are");
    }
    if (module.inputs == Dynamic) module.inputs = module.units = features;
    features = module.outputs();
  }
}

/// The chain of a file: its modules in the order in which they run, with the functions and the
/// output of the options. Throws FormatError when the order is not clear, when a function is
/// missing, and when `.inputs` or `.output` does not fit the modules.
[[nodiscard]] inline TorchChain torch_chain(const TorchStateDict& state,
                                            const PyTorchOptions& options) {
  std::vector<TorchModule> found = find_torch_modules(state, options);
  const Where& where = state.arrays.where();
  if (found.empty()) where.refuse("has no tensors");
  TorchChain chain =
      options.modules.empty()
          ? chain_of(ordered_modules(std::move(found), state, options), options.without)
          : named_chain(std::move(found), options, where);
  if (!options.modules.empty() && !chain.links.empty()) read_first(chain, options, where);
  give_features(chain, options, where);
  require_inputs({chain.links.front().module}, options, where);
  require_said(chain, where);
  if (options.output == PyTorchOutput::sequences) return chain;
  const auto last = std::find_if(chain.links.rbegin(), chain.links.rend(),
                                 [](const TorchLink& one) { return one.module.is_recurrent(); });
  if (last == chain.links.rend()) {
    where.refuse("has no nn.LSTM, nn.GRU or nn.RNN whose last step could be taken");
  }
  if (last->output != PyTorchOutput::sequences) {
    where.in(".modules: LastStep{}")
        .refuse("takes the last step, and so does .output; say it once");
  }
  last->output = options.output;
  return chain;
}

}  // namespace strata::inline STRATA_RUNTIME::io
