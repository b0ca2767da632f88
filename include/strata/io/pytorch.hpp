#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <strata/io/common/assemble.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/self_test.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/torch/audio_model.hpp>
#include <strata/io/torch/chain.hpp>
#include <strata/io/torch/layers.hpp>
#include <strata/io/torch/match.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/io/torch/select.hpp>
#include <strata/io/torch/stack.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>

// PyTorch's state_dict, the tensors of a model by name. A state_dict says neither in which order
// the modules run nor which functions run between them; PyTorchOptions say both.

namespace strata::inline STRATA_RUNTIME {

namespace io {

/// The layers of a chain of modules, with their weights. Throws FormatError when model_data of the
/// file does not match the modules, or asks for a skip connection around more than one LSTM, GRU or
/// RNN and one Linear.
template <class Scalar>
[[nodiscard]] std::vector<AnyLayer<Scalar>> torch_layers(TorchStateDict& state,
                                                         TorchLayers<Scalar>& make,
                                                         const TorchChain& chain) {
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

template <class Model>
void run_torch_self_test(const Model& model, TorchStateDict& state) {
  const Metadata metadata(state.metadata, state.arrays.where());
  run_self_test(model, state.arrays, metadata.self_test_tolerance());
  state.arrays.require_all_used();
}

}  // namespace io

/// The model of a PyTorch state_dict. `from` is a path or bytes in memory, of one of three kinds: a
/// file of safetensors.torch.save_file(model.state_dict(), path); JSON that holds each tensor as
/// nested lists; or the JSON of trainers of guitar amplifiers, {"model_data": {...}, "state_dict":
/// {...}}, whose `skip` adds the input to the output.
///
///   auto model = load_pytorch("model.safetensors");      // or load_pytorch<double>(...)
///   auto classifier = load_pytorch("model.safetensors", {.modules = {"lstm", LastStep{}, "fc"}});
///
/// The modules may be nn.LSTM of any number of layers, bidirectional or not, with or without
/// projection and bias; nn.GRU, nn.RNN and nn.Linear; and nn.Embedding, if its name contains "emb".
/// Unless the options say otherwise, the modules run one after the other, batch first, and return
/// sequences: (B, T, F), or ids (B, T) for an embedding, to (B, T, U). A model of nn.Linear alone
/// takes (B, F) to (B, U).
///
/// Without PyTorchOptions::modules, sizes and the numbers in names must leave one order alone, or
/// one order of recurrent modules before an nn.Linear (io::recurrent_then_linear), and no function
/// may be missing between the modules; docs/files.md has the procedure.
///
/// Throws
/// - FileError when the file cannot be read;
/// - FormatError, naming the tensor, on an unknown, missing, left over or wrongly sized tensor;
/// - FormatError, with the lines of code to choose from, when the modules may run in several orders
///   or a function must run between two modules that `.modules` does not name;
/// - FormatError when the file has a self-test (tools/add_self_test.py) and the model
///   computes other numbers;
/// - ValueError on a nonlinearity that nn.RNN does not have.
template <std::floating_point Scalar = float>
[[nodiscard]] io::Loaded<Scalar> load_pytorch(const io::Source& from,
                                              const PyTorchOptions& options = {}) {
  io::TorchStateDict state = io::read_torch_state_dict(from);
  io::TorchLayers<Scalar> make(state.arrays, options.nonlinearity);
  const io::TorchChain chain = io::torch_chain(state, options);
  auto layers = io::torch_layers(state, make, chain);
  auto model = io::assemble<Scalar>(std::move(layers), io::torch_input(chain), from.where());
  io::run_torch_self_test(model, state);
  return model;
}

/// Gives a model, static or run-time, the weights of a state_dict. The modules of the file must
/// match the model's layers with weights, by kinds and sizes, in one order alone or in the order of
/// `.modules`. Everything that has no weights is the model's own, whatever the options say:
/// activations of Dense and SimpleRNN, return_sequences, residuals, layers without weights. Throws
/// StateError before the model is built, FileError, FormatError and ValueError as load_pytorch
/// does; the model keeps its weights then.
template <class Model>
  requires requires { typename Model::scalar_type; }
void load_pytorch(const io::Source& from, Model& model, const PyTorchOptions& options = {}) {
  using Scalar = typename Model::scalar_type;
  const std::vector<Scalar> before = model.weights();
  io::TorchStateDict state = io::read_torch_state_dict(from);
  io::TorchLayers<Scalar> make(state.arrays, options.nonlinearity);
  auto layers = state.model_data ? io::torch_layers(state, make, io::torch_chain(state, options))
                                 : io::layers_for(state, make, std::as_const(model), options);
  const auto weights =
      io::weights_for(layers, std::as_const(model), io::adapt_to_model, from.where());
  model.set_weights(weights, allow_non_finite);
  try {
    io::run_torch_self_test(model, state);
  } catch (...) {
    model.set_weights(before, allow_non_finite);
    throw;
  }
}

}  // namespace strata::inline STRATA_RUNTIME
