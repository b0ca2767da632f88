#pragma once

#include <strata/support/peers.hpp>
#include <strata/target.hpp>
#include <strata/train/optimizer.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Divides what an optimizer remembers among the processes of a training, where they ask for it,
/// until join. An exception ends the division without the others, and the optimizer forgets.
template <class Scalar>
class DividedMoments {
 public:
  DividedMoments(TrainableNetwork<Scalar>& model, Optimizer<Scalar>& optimizer)
      : model_(model), optimizer_(optimizer) {
    Peers* const peers = model.peers();
    divides_ = peers && peers->divides_moments();
    if (divides_) optimizer.divide(peers, model.parameters());
  }
  DividedMoments(const DividedMoments&) = delete;
  DividedMoments& operator=(const DividedMoments&) = delete;
  ~DividedMoments() { optimizer_.abandon(); }

  void join() {
    if (divides_) optimizer_.divide(nullptr, model_.parameters());
  }

 private:
  TrainableNetwork<Scalar>& model_;
  Optimizer<Scalar>& optimizer_;
  bool divides_ = false;
};

}  // namespace strata::detail::inline STRATA_RUNTIME
