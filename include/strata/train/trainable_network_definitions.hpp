#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <strata/model/forward_network.hpp>
#include <strata/target.hpp>
#include <strata/train/trainable_network.hpp>

namespace strata::inline STRATA_RUNTIME {

template <class Scalar>
TrainableNetwork<Scalar>::TrainableNetwork(std::vector<TrainableRef<Scalar>> layers,
                                           NetworkSetup& setup)
    : ForwardNetwork<Scalar>({layers.begin(), layers.end()}, setup),
      trainable_(std::move(layers)),
      setup_(&setup) {}

template <class Scalar>
const Tensor<Scalar>& TrainableNetwork<Scalar>::forward(
    const Tensor<Scalar>& x, Tape& tape, const Random& random,
    const SequenceContext<Scalar>& context) const {
  this->pack(tape.packed, true);
  return forward_packed(x, tape, random, context);
}

template <class Scalar>
const Tensor<Scalar>& TrainableNetwork<Scalar>::forward_packed(
    const Tensor<Scalar>& x, Tape& tape, const Random& random,
    const SequenceContext<Scalar>& context) const {
  tape.layers.resize(this->size());
  tape.outputs.resize(this->size());
  tape.masks.resize(this->size() + 1);
  tape.passes.resize(this->size());
  tape.masks[0] = context.mask ? *context.mask : Mask();
  tape.learning = learning();
  std::size_t first = 0;
  for (std::size_t i = 0; i < this->size(); ++i) {
    const Tensor<Scalar>& in = input_of(i, x, tape);
    tape.passes[i] = this->pass_of(i, context, tape.masks[i], random);
    if (!tape.learning.empty()) {
      const std::size_t count = trainable_[i].parameters().size();
      tape.passes[i].learning = std::span<const Learning>(tape.learning).subspan(first, count);
      first += count;
    }
    trainable_[i].forward(tape.packed[i], in, tape.layers[i], tape.outputs[i], tape.passes[i]);
    tape.masks[i + 1] = trainable_[i].output_mask(in, tape.masks[i]);
  }
  return tape.outputs.back();
}

template <class Scalar>
void TrainableNetwork<Scalar>::backward(const Tensor<Scalar>& x, Tape& tape,
                                        std::span<Scalar> gradient, Tensor<Scalar>* dx,
                                        const LayerDone* layer_done) const {
  // Without dx, nobody reads the derivatives of layers before the first one that learns, or whose
  // state another network has computed.
  std::size_t first = 0;
  const auto is_idle = [&](std::size_t i) {
    return (trainable_[i].parameter_count() == 0 || detail::is_frozen(tape.passes[i].learning)) &&
           !tape.passes[i].initial_derivative;
  };
  while (!dx && first + 1 < this->size() && is_idle(first)) ++first;
  for (std::size_t i = this->size(); i-- > first;) {
    const auto count = static_cast<std::size_t>(trainable_[i].parameter_count());
    trainable_[i].backward(tape.packed[i], input_of(i, x, tape), tape.outputs[i], tape.derivative,
                           tape.layers[i], gradient.last(count),
                           i == first ? dx : &tape.derivative_before, tape.passes[i]);
    gradient = gradient.first(gradient.size() - count);
    if (layer_done) (*layer_done)(i);
    tape.derivative.swap(tape.derivative_before);
  }
}

template <class Scalar>
std::vector<Learning> TrainableNetwork<Scalar>::learning() const {
  std::vector<Learning> all;
  const auto& rules = this->parameter_rules();
  if (rules.trainable.empty()) return all;
  for (const auto& parameter : this->parameters()) {
    all.push_back(rules.freezes(parameter.name) ? Learning::frozen
                  : parameter.trainable         ? Learning::learns
                                                : Learning::never);
  }
  return all;
}

template <class Scalar>
bool TrainableNetwork<Scalar>::mixes_sequences() const {
  return std::any_of(trainable_.begin(), trainable_.end(),
                     [](const auto& layer) { return layer.mixes_sequences(); });
}

template <class Scalar>
void TrainableNetwork<Scalar>::absorb(Tape& tape) {
  for (std::size_t i = 0; i < this->size(); ++i) trainable_[i].absorb(tape.layers[i]);
}

template <class Scalar>
const Tensor<Scalar>& TrainableNetwork<Scalar>::input_of(std::size_t i, const Tensor<Scalar>& x,
                                                         const Tape& tape) {
  return i == 0 ? x : tape.outputs[i - 1];
}

}  // namespace strata::inline STRATA_RUNTIME
