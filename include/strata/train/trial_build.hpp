#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <strata/contracts/layer_ref.hpp>
#include <strata/layers/input.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Builds a network for its first data, so that checks that need a built network can come before a
/// training changes anything. Unless keep() is called, the end of the object's life leaves the
/// network unbuilt, as it was before. A network that is built already stays as it is.
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

  /// Builds the network for x, (B, F) or (B, T, F). Throws what Network::build_for throws, and
  /// ValueError on numbers that the first layer does not take; then the network is unchanged.
  void build_for(const Tensor<Scalar>& x) {
    if (network_.is_built()) return;
    input_before_ = network_.input();
    for (const auto& layer : network_.layers()) layers_before_.push_back(layer.copy());
    network_.build_for(x);
    is_on_trial_ = true;
    network_.check_values(x);
  }

  /// Makes the network stay built after the object's life.
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

}  // namespace strata::detail::inline STRATA_RUNTIME
