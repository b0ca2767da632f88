#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <strata/model/network.hpp>

namespace strata {

/// A network with what training adds: a pass that keeps a tape, and derivatives that run back.
template <class Scalar>
class TrainableNetwork : public Network<Scalar> {
 public:
  using Network<Scalar>::forward;

  /// What one training pass leaves for backward. It is kept from pass to pass for its memory.
  struct Tape {
    typename Network<Scalar>::Packed packed;
    std::vector<typename TrainableRef<Scalar>::Tape> layers;
    std::vector<Tensor<Scalar>> outputs;
    /// The derivative by the output, which the caller writes; backward uses it up.
    Tensor<Scalar> derivative;
    Tensor<Scalar> derivative_before;
  };

  TrainableNetwork(std::vector<TrainableRef<Scalar>> layers, NetworkSetup& setup)
      : Network<Scalar>({layers.begin(), layers.end()}, setup), trainable_(std::move(layers)) {}

  /// Training pass over one batch. The output stays in the tape.
  const Tensor<Scalar>& forward(const Tensor<Scalar>& x, Tape& tape, const Pass& pass) const {
    this->pack(tape.packed, true);
    tape.layers.resize(this->size());
    tape.outputs.resize(this->size());
    for (std::size_t i = 0; i < this->size(); ++i) {
      trainable_[i].forward(tape.packed[i], i == 0 ? x : std::as_const(tape.outputs[i - 1]),
                            tape.layers[i], tape.outputs[i], Pass{pass.random.fork(i)});
    }
    return tape.outputs.back();
  }

  /// Adds to `gradient`, in the order of parameters(), what tape.derivative says.
  void backward(const Tensor<Scalar>& x, Tape& tape, std::span<Scalar> gradient) const {
    for (std::size_t i = this->size(); i-- > 0;) {
      const auto count = static_cast<std::size_t>(trainable_[i].parameter_count());
      trainable_[i].backward(tape.packed[i], i == 0 ? x : std::as_const(tape.outputs[i - 1]),
                             tape.outputs[i], tape.derivative, tape.layers[i], gradient.last(count),
                             i == 0 ? nullptr : &tape.derivative_before);
      gradient = gradient.first(gradient.size() - count);
      tape.derivative.swap(tape.derivative_before);
    }
  }

 private:
  std::vector<TrainableRef<Scalar>> trainable_;
};

}  // namespace strata
