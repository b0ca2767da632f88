#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/assemble.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/model_file.hpp>
#include <strata/io/common/self_test.hpp>
#include <strata/io/common/source.hpp>
#include <strata/io/common/where.hpp>
#include <strata/io/pytorch.hpp>
#include <strata/io/torch/audio_model.hpp>
#include <strata/io/torch/chain.hpp>
#include <strata/io/torch/layers.hpp>
#include <strata/io/torch/match.hpp>
#include <strata/io/torch/module.hpp>
#include <strata/io/torch/options.hpp>
#include <strata/io/torch/select.hpp>
#include <strata/io/torch/stack.hpp>
#include <strata/io/torch/state_dict.hpp>
#include <strata/io/torch/weight_norm.hpp>
#include <strata/io/torch/without.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The tensors of a file, without those of `.without`, and under the names that modules have
/// without weight_norm and outside of cells.
[[nodiscard]] inline TorchStateDict torch_state_dict(const Source& from,
                                                     const PyTorchOptions& options) {
  TorchStateDict state = read_torch_tensors(from);
  leave_out(state, options.without);
  leave_out_counts(state);
  WeightNorms(state).fold();
  rename_cells(state);
  return state;
}

/// The layers of a chain of modules, with their weights. Throws FormatError when model_data of the
/// file does not match the modules, or asks for a skip connection around more than an nn.LSTM,
/// nn.GRU or nn.RNN and an nn.Linear.
template <class Made>
[[nodiscard]] std::vector<Made> torch_layers(TorchStateDict& state, TorchLayers<Made>& make,
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
  return TorchStack<Made>(make, chain, state.arrays.where()).take();
}

template <class Scalar>
void run_torch_self_test(const ForwardNetwork<Scalar>& network, TorchStateDict& state) {
  const Metadata metadata(state.metadata, state.arrays.where());
  run_self_test(network, state.arrays, metadata.self_test_tolerance());
  state.arrays.require_all_used();
}

template <class Scalar>
void load_pytorch_network(const Source& from, ForwardNetwork<Scalar> network,
                          const PyTorchOptions& options) {
  const std::vector<Scalar> before = network.weights();
  TorchStateDict state = torch_state_dict(from, options);
  TorchLayers<FileLayer<Scalar>> make(state.arrays, options);
  const auto layers = state.model_data ? torch_layers(state, make, torch_chain(state, options))
                                       : layers_for<Scalar>(state, make, network, options);
  network.set_weights(weights_for<Scalar>(layers, network, adapt_to_model, from.where()));
  try {
    run_torch_self_test(network, state);
  } catch (...) {
    network.set_weights(before);
    throw;
  }
}

}  // namespace strata::inline STRATA_RUNTIME::io

namespace strata::inline STRATA_RUNTIME {

template <std::floating_point Scalar>
io::Loaded<Scalar> load_pytorch(const io::Source& from, const PyTorchOptions& options) {
  io::TorchStateDict state = io::torch_state_dict(from, options);
  io::TorchLayers<AnyLayer<Scalar>> make(state.arrays, options);
  const io::TorchChain chain = io::torch_chain(state, options);
  auto layers = io::torch_layers(state, make, chain);
  auto model = io::assemble<Scalar>(std::move(layers), io::torch_input(chain), from.where());
  io::run_torch_self_test(model.forward_network(), state);
  return model;
}

}  // namespace strata::inline STRATA_RUNTIME
