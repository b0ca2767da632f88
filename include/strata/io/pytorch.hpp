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

// PyTorch's state_dict, the tensors of a model by name. It says neither in which order the modules
// run nor what is between them; PyTorchOptions do.

namespace strata::inline STRATA_TARGET {

namespace io {

/// The layers of a chain of modules.
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
/// Without PyTorchOptions::modules the order is the only one that sizes and numbers in names leave,
/// or that of io::recurrent_then_linear, and nothing may have to run between the modules;
/// docs/files.md has the procedure.
///
/// Throws FileError when the file cannot be read; FormatError, naming the tensor, on anything in it
/// that is not known, missing, left over or of another size; FormatError, with the lines of code to
/// choose from, when the modules may run in several orders, or when something without weights runs
/// between them that `.modules` does not name; FormatError when a self-test in the file gives other
/// numbers (tools/add_self_test.py); ValueError on a nonlinearity that nn.RNN does not have.
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

/// Gives a model, static or run-time, the weights of a state_dict. Its layers with weights must be
/// those of the file, by kinds and sizes in one order alone, or in that of `.modules`; activations
/// of Dense and SimpleRNN, return_sequences, residuals, and layers without weights are the model's
/// own, whatever the options say of them. Throws StateError before the model is built, FileError
/// and FormatError as load_pytorch does; the model is unchanged then.
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

}  // namespace strata::inline STRATA_TARGET
