#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
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
    std::vector<Pass<Scalar>> passes;
    /// The derivative of the loss by the output. The caller writes it; backward overwrites it.
    Tensor<Scalar> derivative;
    Tensor<Scalar> derivative_before;
  };

  TrainableNetwork(std::vector<TrainableRef<Scalar>> layers, NetworkSetup& setup)
      : ForwardNetwork<Scalar>({layers.begin(), layers.end()}, setup),
        trainable_(std::move(layers)),
        setup_(&setup) {}

  /// The settings of the model besides its layers.
  [[nodiscard]] NetworkSetup& setup() noexcept { return *setup_; }

  /// Training pass over one batch. The output stays in the tape.
  const Tensor<Scalar>& forward(const Tensor<Scalar>& x, Tape& tape, const Random& random,
                                const SequenceContext<Scalar>& context = {}) const {
    this->pack(tape.packed, true);
    return forward_packed(x, tape, random, context);
  }

  /// A training pass with the packed weights that the tape holds already.
  const Tensor<Scalar>& forward_packed(const Tensor<Scalar>& x, Tape& tape, const Random& random,
                                       const SequenceContext<Scalar>& context) const {
    tape.layers.resize(this->size());
    tape.outputs.resize(this->size());
    tape.masks.resize(this->size() + 1);
    tape.passes.resize(this->size());
    tape.masks[0] = context.mask ? *context.mask : Mask();
    for (std::size_t i = 0; i < this->size(); ++i) {
      const Tensor<Scalar>& in = input_of(i, x, tape);
      tape.passes[i] = this->pass_of(i, context, tape.masks[i], random);
      trainable_[i].forward(tape.packed[i], in, tape.layers[i], tape.outputs[i], tape.passes[i]);
      tape.masks[i + 1] = trainable_[i].output_mask(in, tape.masks[i]);
    }
    return tape.outputs.back();
  }

  /// Adds the gradients of all parameters to `gradient`, in the order of parameters().
  /// tape.derivative holds the derivative of the loss by the output.
  void backward(const Tensor<Scalar>& x, Tape& tape, std::span<Scalar> gradient) const {
    for (std::size_t i = this->size(); i-- > 0;) {
      const auto count = static_cast<std::size_t>(trainable_[i].parameter_count());
      trainable_[i].backward(tape.packed[i], input_of(i, x, tape), tape.outputs[i], tape.derivative,
                             tape.layers[i], gradient.last(count),
                             i == 0 ? nullptr : &tape.derivative_before, tape.passes[i]);
      gradient = gradient.first(gradient.size() - count);
      tape.derivative.swap(tape.derivative_before);
    }
  }

  /// Whether a layer computes with several sequences of a batch together, so that the batch must be
  /// trained as a whole and not in shards.
  [[nodiscard]] bool mixes_sequences() const {
    return std::any_of(trainable_.begin(), trainable_.end(),
                       [](const auto& layer) { return layer.mixes_sequences(); });
  }

  /// Hands the layers the numbers that training changes besides the weights, such as moving
  /// statistics. To be called after the update of a step.
  void absorb(Tape& tape) {
    for (std::size_t i = 0; i < this->size(); ++i) trainable_[i].absorb(tape.layers[i]);
  }

 private:
  [[nodiscard]] static const Tensor<Scalar>& input_of(std::size_t i, const Tensor<Scalar>& x,
                                                      const Tape& tape) {
    return i == 0 ? x : tape.outputs[i - 1];
  }

  std::vector<TrainableRef<Scalar>> trainable_;
  NetworkSetup* setup_;
};

}  // namespace strata::inline STRATA_RUNTIME
