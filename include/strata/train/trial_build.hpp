#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <strata/layers/input.hpp>
#include <strata/model/layer_ref.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::inline STRATA_TARGET::detail {

/// Builds a network for its first data. Unless keep() is called, the end of the object leaves the
/// network as it was before, unbuilt. Thus checks that need a built network come before a training
/// changes anything. A network that is built already stays as it is.
template <class Scalar>
class TrialBuild {
 public:
  /// The network must outlive the object.
  explicit TrialBuild(TrainableNetwork<Scalar>& network) : network_(network) {}
  TrialBuild(const TrialBuild&) = delete;
  TrialBuild& operator=(const TrialBuild&) = delete;
  ~TrialBuild() {
    if (!is_on_trial_) return;
    for (std::size_t i = 0; i < network_.size(); ++i) {
      LayerRef<Scalar> layer = network_.layers()[i];
      layer.assign(layers_before_[i]);
    }
    network_.setup().input = input_before_;
    network_.setup().built = false;
  }

  /// Throws what Network::build_for throws for x, (B, F) or (B, T, F), and ValueError on numbers
  /// that the first layer does not take. The network is unchanged then.
  void build_for(const Tensor<Scalar>& x) {
    if (network_.is_built()) return;
    input_before_ = network_.input();
    for (const auto& layer : network_.layers()) layers_before_.push_back(layer.copy());
    network_.build_for(x);
    is_on_trial_ = true;
    network_.layers().front().check_input(x);
  }

  /// The network stays built.
  void keep() noexcept {
    is_on_trial_ = false;
    layers_before_.clear();
  }

 private:
  TrainableNetwork<Scalar>& network_;
  std::optional<Input> input_before_;
  std::vector<std::shared_ptr<void>> layers_before_;
  bool is_on_trial_ = false;
};

}  // namespace strata::inline STRATA_TARGET::detail
