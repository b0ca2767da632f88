#pragma once

#include <utility>
#include <vector>

#include <strata/contracts/any_layer.hpp>
#include <strata/io/common/erased_layer.hpp>
#include <strata/layers/joined_stack.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// SkipConnections of any number of layers, each of which takes and returns sequences, or
/// AllOutputs where ReadsInput is false. `Mixes` says whether one of the layers, when it trains,
/// must see all sequences of a batch together, as BatchNormalization must.
template <bool Mixes, bool ReadsInput = true, class S>
[[nodiscard]] AnyLayer<S> joined_stack_of(std::vector<AnyLayer<S>> layers) {
  using Each = ErasedLayer<S, Accepts::sequences, Returns::sequence, Mixes>;
  std::vector<Each> each;
  for (AnyLayer<S>& layer : layers) each.emplace_back(std::move(layer));
  return AnyLayer<S>(detail::JoinedStack<std::vector<Each>, ReadsInput>(std::move(each)));
}

}  // namespace strata::inline STRATA_RUNTIME::io
