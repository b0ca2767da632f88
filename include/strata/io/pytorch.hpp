#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <strata/activation.hpp>
#include <strata/error.hpp>
#include <strata/io/assemble.hpp>
#include <strata/io/imported.hpp>
#include <strata/io/model_file.hpp>
#include <strata/io/self_test.hpp>
#include <strata/io/source.hpp>
#include <strata/io/torch_audio_model.hpp>
#include <strata/io/torch_chain.hpp>
#include <strata/io/torch_layers.hpp>
#include <strata/io/torch_match.hpp>
#include <strata/io/torch_module.hpp>
#include <strata/io/torch_options.hpp>
#include <strata/io/torch_order.hpp>
#include <strata/io/torch_stack.hpp>
#include <strata/io/torch_state_dict.hpp>
#include <strata/io/where.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

// PyTorch's state_dict, the tensors of a model by name. It says neither in which order the modules
// run nor what is between them; PyTorchOptions do.

namespace strata::inline STRATA_TARGET {

namespace io {

/// Refuses a nonlinearity that nn.RNN does not have.
inline void check_nonlinearity(Activation nonlinearity) {
  if (nonlinearity == Activation::tanh || nonlinearity == Activation::relu) return;
  throw ValueError("load_pytorch: the nonlinearity of nn.RNN is tanh or relu, found " +
                   std::string(name(nonlinearity)));
}

inline constexpr const char* too_many_orders =
    "its modules may join in too many orders to try; name them in their order by .modules";

/// Refuses `.inputs` that are not those of the first module.
inline void require_inputs(const TorchModule& first, const PyTorchOptions& options,
                           const Where& where) {
  const bool is_embedding = first.kind == TorchModule::Kind::Embedding;
  if (options.inputs == Dynamic || (!is_embedding && first.inputs == options.inputs)) return;
  where.in(".inputs").expected("those of the first module, " + first.text(),
                               std::to_string(options.inputs));
}

/// Refuses modules that may run in several orders, with the lines of code that name each.
/// `arguments`: after the file. `with_functions`: whether these lines must say what runs between.
[[noreturn]] inline void refuse_orders(const std::vector<TorchModule>& modules,
                                       const TorchOrders& orders, const Where& where,
                                       const std::string& arguments, bool with_functions) {
  std::vector<std::string> words;
  for (const auto& module : modules) words.push_back(module.text());
  std::string text = "its modules, " + list_text(words) +
                     ", may run in more than one order; name them in their order by .modules";
  std::string lines;
  bool other_inputs = false;
  const std::size_t count = std::min(orders.found().size(), TorchOrders::most);
  for (std::size_t i = 0; i < count; ++i) {
    const auto ordered = in_order(modules, orders.found()[i]);
    const Index inputs = ordered.front().inputs;
    other_inputs = other_inputs || inputs != modules[orders.found()[0].front()].inputs;
    lines += "\n  " + code_text(chain_of(ordered), where, arguments, with_functions);
    if (ordered.front().kind != TorchModule::Kind::Embedding) {
      lines += "  // takes " + std::to_string(inputs) + " features";
    }
  }
  if (!orders.are_all()) lines += "\n  or others";
  if (with_functions && other_inputs) text += ", or the features that the model takes by .inputs";
  if (lines.find("?") != std::string::npos) {
    text += std::string(", and ") + instead_of_question_marks;
  }
  where.refuse(text + ":" + lines);
}

/// The modules in the only order that sizes and numbers leave, or in that of
/// recurrent_then_linear; of a file with model_data, first the recurrent ones. Throws FormatError
/// where several orders are left, or none.
[[nodiscard]] inline std::vector<TorchModule> ordered_modules(std::vector<TorchModule> found,
                                                              const TorchStateDict& state,
                                                              const PyTorchOptions& options) {
  const Where& where = state.arrays.where();
  if (state.model_data) {
    std::stable_partition(found.begin(), found.end(),
                          [](const TorchModule& one) { return one.is_recurrent(); });
    return found;
  }
  const auto orders = TorchOrders::by_sizes(found, options.inputs);
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
                 ": " + all_in_turn() + "; name them in their order by .modules");
  }
  if (orders.found().size() == 1 && orders.are_all()) return in_order(found, orders.found()[0]);
  const auto* order = orders.are_all() ? recurrent_then_linear(found, orders.found()) : nullptr;
  if (!order) refuse_orders(found, orders, where, "", true);
  return in_order(found, *order);
}

/// The modules of a file in the order in which they run, with what runs between them.
[[nodiscard]] inline TorchChain torch_chain(const TorchStateDict& state,
                                            const PyTorchOptions& options) {
  std::vector<TorchModule> found = find_torch_modules(state);
  const Where& where = state.arrays.where();
  if (found.empty()) where.refuse("has no tensors");
  TorchChain chain = options.modules.empty()
                         ? chain_of(ordered_modules(std::move(found), state, options))
                         : named_chain(std::move(found), options.modules, where);
  require_inputs(chain.links.front().module, options, where);
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

/// The layers of a chain of modules.
template <class Scalar>
[[nodiscard]] std::vector<AnyLayer<Scalar>> torch_layers(TorchStateDict& state,
                                                         const TorchChain& chain,
                                                         const PyTorchOptions& options) {
  check_nonlinearity(options.nonlinearity);
  TorchLayers<Scalar> make(state.arrays, options.nonlinearity);
  if (state.model_data) {
    std::vector<TorchModule> modules;
    for (const auto& link : chain.links) modules.push_back(link.module);
    const Where where = state.arrays.where().in("model_data");
    const Index skip = read_torch_model_data(*state.model_data, modules, where);
    if (skip > 0 && !is_plain(chain)) {
      where.in("skip").refuse(
          "adds the input to the output of every step; .output must be sequences, and .modules "
          "without functions");
    }
    if (skip > 0) return layers_with_skip(make, modules, skip);
  }
  return TorchStack<Scalar>(make, chain, state.arrays.where()).take();
}

/// The layers with weights of the modules in the order of a model's layers. Throws FormatError
/// where the modules may be the model's layers in more than one order.
template <class Scalar, class Model>
[[nodiscard]] std::vector<AnyLayer<Scalar>> layers_for(TorchStateDict& state, const Model& model,
                                                       const PyTorchOptions& options) {
  check_nonlinearity(options.nonlinearity);
  const Where& where = state.arrays.where();
  std::vector<TorchModule> modules = find_torch_modules(state);
  if (modules.empty()) where.refuse("has no tensors");
  const bool named = !options.modules.empty();
  if (named) {
    TorchChain chain = named_chain(std::move(modules), options.modules, where);
    modules.clear();
    for (auto& link : chain.links) modules.push_back(std::move(link.module));
  }
  TorchLayers<Scalar> make(state.arrays, options.nonlinearity);
  std::vector<std::vector<AnyLayer<Scalar>>> layers;
  for (const auto& module : modules) layers.push_back(make.of(module));
  TorchOrders::Order order(modules.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!named) {
    const TorchMatch<Scalar> match(modules, layers, model);
    const TorchOrders orders = match.orders(modules);
    const bool one = orders.found().size() == 1 && orders.are_all();
    if (!orders.found().empty() && !one) refuse_orders(modules, orders, where, ", model", false);
    if (orders.gave_up()) where.refuse(too_many_orders);
    if (one) {
      order = orders.found()[0];
    } else {
      // None fits: the one that comes closest says best what is different.
      for (const auto& other : TorchOrders::by_sizes(modules).found()) {
        if (match.count(other) > match.count(order)) order = other;
      }
      if (match.count(order) == modules.size()) {
        where.refuse(
            "its modules are the layers of the model only against the numbers in their names; name "
            "them in their order by .modules");
      }
    }
  }
  require_inputs(modules[order.front()], options, where);
  std::vector<AnyLayer<Scalar>> ordered;
  for (const std::size_t i : order) {
    for (auto& layer : layers[i]) ordered.push_back(std::move(layer));
  }
  return ordered;
}

template <class Model>
void run_torch_self_test(const Model& model, TorchStateDict& state) {
  const Metadata metadata(state.metadata, state.arrays.where());
  run_self_test(model, state.arrays, metadata.self_test_tolerance());
  state.arrays.require_all_used();
}

}  // namespace io

/// The model of a PyTorch state_dict, written by safetensors.torch.save_file(model.state_dict(),
/// path), or as JSON of nested lists: load_pytorch("model.safetensors"), or load_pytorch<double>.
/// `from` is a path or bytes in memory. Also the JSON of trainers of guitar amplifiers,
/// {"model_data": {...}, "state_dict": {...}}, whose `skip` adds the input to the output.
///
/// nn.LSTM of any number of layers, bidirectional, with projection, with or without bias; nn.GRU,
/// nn.RNN, nn.Linear, and nn.Embedding, whose name must have "emb" in it. They are taken to run one
/// after the other, batch first, and to return sequences: x (B, T, F), or ids (B, T) for an
/// embedding, to (B, T, U). With nn.Linear alone, (B, F) to (B, U). The options say otherwise.
///
/// Throws FileError when the file cannot be read, FormatError, naming the tensor, on anything in it
/// that is not known, missing, left over or of another size, when the order of the modules is not
/// clear, and when a self-test in the file gives other numbers (tools/add_self_test.py); ValueError
/// on a nonlinearity that nn.RNN does not have.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_pytorch(const io::Source& from,
                                              const PyTorchOptions& options = {}) {
  io::TorchStateDict state = io::read_torch_state_dict(from);
  const io::TorchChain chain = io::torch_chain(state, options);
  auto layers = io::torch_layers<Scalar>(state, chain, options);
  auto model = io::assemble<Scalar>(std::move(layers), io::torch_input(chain), from.where());
  io::run_torch_self_test(model, state);
  return model;
}

/// Gives a model, static or run-time, the weights of a state_dict. Its layers with weights must be
/// those of the file in their order; activations of Dense and SimpleRNN, return_sequences, and
/// layers without weights are the model's own. Throws StateError before the model is built,
/// FileError and FormatError as load_pytorch does; the model is unchanged then.
template <class Model>
  requires requires { typename Model::scalar_type; }
void load_pytorch(const io::Source& from, Model& model, const PyTorchOptions& options = {}) {
  using Scalar = typename Model::scalar_type;
  const std::vector<Scalar> before = model.weights();
  io::TorchStateDict state = io::read_torch_state_dict(from);
  auto layers = state.model_data
                    ? io::torch_layers<Scalar>(state, io::torch_chain(state, options), options)
                    : io::layers_for<Scalar>(state, std::as_const(model), options);
  const auto weights =
      io::weights_for(layers, std::as_const(model), io::adapt_to_model, from.where());
  model.set_weights(weights);
  try {
    io::run_torch_self_test(model, state);
  } catch (...) {
    model.set_weights(before);
    throw;
  }
}

}  // namespace strata::inline STRATA_TARGET
