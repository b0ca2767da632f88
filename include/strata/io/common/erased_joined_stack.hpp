#pragma once

#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/erased_layer.hpp>
#include <strata/layers/joined_stack.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// AllOutputs, SkipConnections or WindowStack of any number of layers, each of which takes and
/// returns sequences. `Mixes` says whether one of the layers, when it trains, must see all
/// sequences of a batch together, as BatchNormalization must. `window`: V of a WindowStack, else 0.
template <bool Mixes, detail::StackReads Reads, class S>
[[nodiscard]] AnyLayer<S> joined_stack_of(std::vector<AnyLayer<S>> layers, Index window = 0) {
  using Each = ErasedLayer<S, Accepts::sequences, Returns::sequence, Mixes>;
  std::vector<Each> each;
  for (AnyLayer<S>& layer : layers) each.emplace_back(std::move(layer));
  return AnyLayer<S>(detail::JoinedStack<std::vector<Each>, Reads>(std::move(each), window));
}

}  // namespace strata::inline STRATA_RUNTIME::io
