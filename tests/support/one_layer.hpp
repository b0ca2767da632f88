#pragma once

#include <utility>
#include <vector>

#include "layer_cases.hpp"

namespace strata::test {

/// A layer of the laws, as a model.
template <class S>
class OneLayer {
 public:
  using scalar_type = S;

  explicit OneLayer(const LayerCase<S>& one) : layers_{one.layer} {
    const bool ids = one.layer.accepts() == Accepts::ids;
    setup_.input = ids ? Input(Dynamic) : Input(Dynamic, one.features);
    setup_.built = true;
  }
  [[nodiscard]] const std::vector<AnyLayer<S>>& layers() const { return layers_; }
  [[nodiscard]] Network<S> network() const {
    return {{layers_.begin(), layers_.end()}, const_cast<NetworkSetup&>(setup_)};
  }
  [[nodiscard]] ForwardNetwork<S> forward_network() const {
    return {{layers_.begin(), layers_.end()}, const_cast<NetworkSetup&>(setup_)};
  }

 private:
  std::vector<AnyLayer<S>> layers_;
  NetworkSetup setup_;
};

}  // namespace strata::test
