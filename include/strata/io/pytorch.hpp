#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/error.hpp>
#include <strata/io/assemble.hpp>
#include <strata/io/imported.hpp>
#include <strata/io/model_file.hpp>
#include <strata/io/self_test.hpp>
#include <strata/io/source.hpp>
#include <strata/io/torch_audio_model.hpp>
#include <strata/io/torch_layers.hpp>
#include <strata/io/torch_module.hpp>
#include <strata/io/torch_order.hpp>
#include <strata/io/torch_state_dict.hpp>
#include <strata/layers/activate.hpp>
#include <strata/layers/reshape.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

// PyTorch's state_dict, the tensors of a model by name. It says neither in which order the modules
// run nor what is between them; PyTorchOptions do.

namespace strata::inline STRATA_TARGET {

/// A module of a PyTorch model by its name in the state_dict: "lstm" of "lstm.weight_ih_l0", "" of
/// "weight_ih_l0".
struct PyTorchModule {
  std::string name;
  /// What is applied to its output, such as the torch.relu after an nn.Linear.
  Activation activation = Activation::linear;

  PyTorchModule(std::string named, Activation then = Activation::linear)
      : name(std::move(named)), activation(then) {}
  PyTorchModule(const char* named, Activation then = Activation::linear)
      : PyTorchModule(std::string(named), then) {}
};

/// What a PyTorch model makes of the sequence that its last nn.LSTM, nn.GRU or nn.RNN returns.
enum class PyTorchOutput {
  /// `output`: all steps. nn.Linear acts on each.
  sequences,
  /// `output[:, -1]`: the last step; backwards that is the first step of the reading.
  last_step,
  /// `h_n` of the last layer, both directions side by side: the last step of each reading.
  last_state
};

/// What a state_dict does not say; see load_pytorch.
struct PyTorchOptions {
  /// All modules in the order in which they run. Empty: the order of the file, which JSON keeps;
  /// safetensors sorts names, and then the order is taken from the sizes and the numbers in names,
  /// where these leave one only (io::TorchOrder).
  std::vector<PyTorchModule> modules = {};
  PyTorchOutput output = PyTorchOutput::sequences;
  /// Of nn.RNN: tanh or relu.
  Activation nonlinearity = Activation::tanh;
};

namespace io {

/// The modules of a file in the order in which they run.
[[nodiscard]] inline std::vector<TorchModule> ordered_modules(const TorchStateDict& state,
                                                              const PyTorchOptions& options) {
  std::vector<TorchModule> found = find_torch_modules(state);
  const Where& where = state.arrays.where();
  if (found.empty()) where.refuse("has no tensors");
  if (options.modules.empty()) {
    return state.order.empty() ? TorchOrder(found, where).find() : found;
  }
  std::vector<TorchModule> ordered;
  for (const PyTorchModule& wanted : options.modules) {
    const auto module = std::find_if(found.begin(), found.end(), [&](const TorchModule& one) {
      return one.name == wanted.name;
    });
    if (module == found.end()) {
      std::vector<std::string> names;
      for (const auto& one : found) names.push_back(in_quotes(one.name));
      where.in(in_quotes(wanted.name))
          .refuse("there is no such module, or it is named twice in .modules; there are: " +
                  list_text(names));
    }
    ordered.push_back(std::move(*module));
    found.erase(module);
  }
  if (!found.empty()) where.in(in_quotes(found.front().name)).refuse("is not named in .modules");
  return ordered;
}

/// The layers of modules that run one after the other.
template <class Scalar>
[[nodiscard]] std::vector<AnyLayer<Scalar>> torch_layers(TorchStateDict& state,
                                                         const std::vector<TorchModule>& modules,
                                                         const PyTorchOptions& options) {
  const auto last = std::find_if(modules.rbegin(), modules.rend(),
                                 [](const TorchModule& one) { return one.is_recurrent(); });
  if (last == modules.rend() && options.output != PyTorchOutput::sequences) {
    state.arrays.where().refuse("has no nn.LSTM, nn.GRU or nn.RNN whose last step could be taken");
  }
  if (options.nonlinearity != Activation::tanh && options.nonlinearity != Activation::relu) {
    throw ValueError("load_pytorch: the nonlinearity of nn.RNN is tanh or relu, found " +
                     std::string(name(options.nonlinearity)));
  }
  TorchLayers<Scalar> make(state.arrays, options.nonlinearity);
  if (state.model_data) {
    const Where where = state.arrays.where().in("model_data");
    const Index skip = read_torch_model_data(*state.model_data, modules, where);
    if (skip > 0) {
      const bool plain = std::all_of(
          options.modules.begin(), options.modules.end(),
          [](const PyTorchModule& one) { return one.activation == Activation::linear; });
      if (!plain || options.output != PyTorchOutput::sequences) {
        where.in("skip").refuse(
            "adds the input to the output of every step; .output must be sequences, and .modules "
            "without activations");
      }
      return layers_with_skip(make, modules, skip);
    }
  }
  std::vector<AnyLayer<Scalar>> layers;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const TorchModule& module = modules[i];
    const Activation after =
        options.modules.empty() ? Activation::linear : options.modules[i].activation;
    if (module.kind == TorchModule::Kind::Linear) {
      layers.push_back(make.linear(module, after));
      continue;
    }
    if (module.kind == TorchModule::Kind::Embedding) layers.push_back(make.embedding(module));
    const bool is_last = last != modules.rend() && &module == &*last;
    for (int layer = 0; module.is_recurrent() && layer < module.layers; ++layer) {
      const bool ends = is_last && layer == module.layers - 1;
      const bool picked = ends && options.output == PyTorchOutput::last_step;
      // Bidirectional without return_sequences gives the last step of each reading.
      const bool apart = picked && module.bidirectional;
      const bool sequences = !ends || apart || options.output == PyTorchOutput::sequences;
      layers.push_back(make.recurrent(module, layer, sequences));
      if (apart) layers.emplace_back(LastStep<Scalar>());
    }
    if (after != Activation::linear) layers.emplace_back(Activate<Scalar>(after));
  }
  return layers;
}

[[nodiscard]] inline Input torch_input(const std::vector<TorchModule>& modules) {
  if (modules.front().kind == TorchModule::Kind::Embedding) return Input(Dynamic);
  const bool recurrent = std::any_of(modules.begin(), modules.end(),
                                     [](const TorchModule& one) { return one.is_recurrent(); });
  return recurrent ? Input(Dynamic, modules.front().inputs) : Input(modules.front().inputs);
}

/// What a state_dict does not say, a model does.
inline void adapt_to_model(LayerDescription& of_file, const LayerDescription& of_model) {
  const bool is_lstm_or_gru = of_file.kind != "Dense" && of_file.kind != "SimpleRNN";
  for (auto& [name, value] : of_file.options) {
    if (name != "return_sequences" && name != "mask_zero" && name != "zero_output_for_mask" &&
        (name != "activation" || is_lstm_or_gru)) {
      continue;
    }
    if (const auto* found = of_model.find(name)) value = *found;
  }
  for (std::size_t i = 0; i < std::min(of_file.layers.size(), of_model.layers.size()); ++i) {
    adapt_to_model(of_file.layers[i], of_model.layers[i]);
  }
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
  const auto modules = io::ordered_modules(state, options);
  auto layers = io::torch_layers<Scalar>(state, modules, options);
  auto model = io::assemble<Scalar>(std::move(layers), io::torch_input(modules), from.where());
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
  auto layers = io::torch_layers<Scalar>(state, io::ordered_modules(state, options), options);
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
