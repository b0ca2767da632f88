#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// A network that can be trained: it adds a forward pass that keeps a tape, and a backward pass
/// that reads the tape.
template <class Scalar>
class TrainableNetwork : public ForwardNetwork<Scalar> {
 public:
  using ForwardNetwork<Scalar>::forward;

  /// The record of one training pass, which backward reads. Callers use a tape again for later
  /// passes, so that its memory is allocated once.
  struct Tape {
    typename ForwardNetwork<Scalar>::Packed packed;
    std::vector<typename TrainableRef<Scalar>::Tape> layers;
    std::vector<Tensor<Scalar>> outputs;
    /// The mask of the input, and the mask of each layer's output; empty where every step counts.
    std::vector<Mask> masks;
    /// Of all parameters; the passes read it.
    std::vector<Learning> learning;
    std::vector<Pass<Scalar>> passes;
    /// The derivative of the loss by the output. The caller writes it; backward overwrites it.
    Tensor<Scalar> derivative;
    Tensor<Scalar> derivative_before;
  };

  TrainableNetwork(std::vector<TrainableRef<Scalar>> layers, NetworkSetup& setup);

  /// The settings of the model besides its layers.
  [[nodiscard]] NetworkSetup& setup() noexcept { return *setup_; }

  /// Training pass over one batch. The output stays in the tape.
  const Tensor<Scalar>& forward(const Tensor<Scalar>& x, Tape& tape, const Random& random,
                                const SequenceContext<Scalar>& context = {}) const;

  /// A training pass with the packed weights that the tape holds already.
  const Tensor<Scalar>& forward_packed(const Tensor<Scalar>& x, Tape& tape, const Random& random,
                                       const SequenceContext<Scalar>& context) const;

  /// Is told a layer whose parameters have their gradients.
  using LayerDone = std::function<void(std::size_t layer)>;

  /// Adds the gradients of all parameters to `gradient`, in the order of parameters().
  /// tape.derivative holds the derivative of the loss by the output. Where `dx` is not null it is
  /// set to the derivative by x. layer_done, where it is not null, is called for the layers from
  /// the last one on, and not for layers that nobody needs the gradients of.
  void backward(const Tensor<Scalar>& x, Tape& tape, std::span<Scalar> gradient,
                Tensor<Scalar>* dx = nullptr, const LayerDone* layer_done = nullptr) const;

  /// Whether a layer computes with several sequences of a batch together, so that the batch must be
  /// trained as a whole and not in shards.
  [[nodiscard]] bool mixes_sequences() const;

  /// Hands the layers the numbers that training changes besides the weights, such as moving
  /// statistics. To be called after the update of a step.
  void absorb(Tape& tape);

 private:
  /// Of all parameters in their order; empty where none is frozen.
  [[nodiscard]] std::vector<Learning> learning() const;

  [[nodiscard]] static const Tensor<Scalar>& input_of(std::size_t i, const Tensor<Scalar>& x,
                                                      const Tape& tape);

  std::vector<TrainableRef<Scalar>> trainable_;
  NetworkSetup* setup_;
};

}  // namespace strata::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/trainable_network_definitions.hpp>
#endif
