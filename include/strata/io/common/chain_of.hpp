#pragma once

#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/erased_layer.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/layers/layer_chain.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// A Chain of any number of layers, all of which take and return data of the given kinds. `Mixes`
/// is that of joined_stack_of.
template <Accepts Takes, Returns Gives, bool Mixes, class S>
[[nodiscard]] AnyLayer<S> chain_of(std::vector<AnyLayer<S>> layers) {
  using Each = ErasedLayer<S, Takes, Gives, Mixes>;
  std::vector<Each> each;
  for (AnyLayer<S>& layer : layers) each.emplace_back(std::move(layer));
  return AnyLayer<S>(detail::LayerChain<std::vector<Each>>(std::move(each)));
}
/// The same of layers of a file.
template <Accepts, Returns, bool, class S>
[[nodiscard]] FileLayer<S> chain_of(std::vector<FileLayer<S>> layers) {
  return described_stack("Chain", std::move(layers));
}

/// Layers that take and return sequences as one layer: a Chain, unless there is one alone.
template <class Made>
[[nodiscard]] Made one_of_sequences(std::vector<Made> layers) {
  if (layers.size() == 1) return std::move(layers[0]);
  return chain_of<Accepts::sequences, Returns::sequence, false>(std::move(layers));
}

}  // namespace strata::inline STRATA_RUNTIME::io
