#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <strata/activation.hpp>
#include <strata/contracts/description.hpp>
#include <strata/io/common/erased_joined_stack.hpp>
#include <strata/io/common/imported.hpp>
#include <strata/io/common/numbers.hpp>
#include <strata/layers/activate.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME::io {

/// The SkipConnections of layers of a file; io/common/erased_joined_stack.hpp has the function
/// of this name for layers that compute.
template <bool, detail::StackReads, class S>
[[nodiscard]] FileLayer<S> joined_stack_of(std::vector<FileLayer<S>> layers) {
  return described_stack("SkipConnections", std::move(layers));
}

/// y = W h + b + x as layers, where h are the U = `units` outputs of a recurrent layer for x of
/// F = `inputs`, and `kernel` is W, (U, outputs). SkipConnections of the recurrent layer and of a
/// linear Activate, which passes its input on, return [h, x, h]. The Dense after them, which
/// make_dense(kernel) makes, has the kernel [W; 1; 0]: it reads the first h and adds x. With skip =
/// 1 the first feature of x is added to every output, otherwise feature i to output i.
template <class Made, class MakeDense>
[[nodiscard]] std::vector<Made> layers_with_skip(Made recurrent, Index units, Index inputs,
                                                 Numbers kernel, Index skip, MakeDense make_dense) {
  using S = ScalarOf<Made>;
  std::vector<Made> joined;
  joined.push_back(std::move(recurrent));
  joined.emplace_back(Activate<S>(Activation::linear));
  std::vector<Made> layers;
  layers.push_back(joined_stack_of<false, detail::StackReads::input>(std::move(joined)));
  const Index outputs = kernel.shape[1];
  kernel.shape[0] = units + inputs + units;
  kernel.values.resize(static_cast<std::size_t>(kernel.shape[0] * outputs));
  for (Index y = 0; y < outputs; ++y) {
    const Index x = skip == 1 ? 0 : y;
    kernel.values[static_cast<std::size_t>((units + x) * outputs + y)] = 1;
  }
  layers.push_back(make_dense(std::move(kernel)));
  return layers;
}

}  // namespace strata::inline STRATA_RUNTIME::io
