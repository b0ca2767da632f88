#pragma once

#include <utility>
#include <vector>

#include <strata/contracts/layer_ref.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/network.hpp>
#include <strata/model/precision_chain.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/support/checks.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

template <class Scalar>
ForwardNetwork<Scalar>::ForwardNetwork(std::vector<ForwardRef<Scalar>> layers, NetworkSetup& setup)
    : Network<Scalar>({layers.begin(), layers.end()}, setup), forward_(std::move(layers)) {}

template <class Scalar>
void ForwardNetwork<Scalar>::check_data(const Tensor<Scalar>& x) const {
  this->require_built("the model's sizes");
  detail::check_not_empty("x", x);
  const Shape expected = this->input()->shape();
  const bool steps_fit =
      expected.rank() < 3 || x.rank() < 3 || expected[1] == Dynamic || expected[1] == x.steps();
  (void)this->output_shape(x.shape());
  const bool features_fit = expected.back() == Dynamic || x.features() == expected.back();
  if (x.rank() != expected.rank() || !steps_fit || !features_fit) {
    detail::fail<ShapeError>({"x: the model's Input expects ", expected, ", found ", x.shape()});
  }
  detail::check_finite("x", x);
  check_values(x);
}

template <class Scalar>
void ForwardNetwork<Scalar>::pack(Packed& packed, bool training) const {
  packed.resize(this->size());
  this->threads().run(this->size(), [&](std::size_t i) { forward_[i].pack(packed[i], training); });
}

template <class Scalar>
void ForwardNetwork<Scalar>::reduce(const char* who, Packed& packed, Precision precision) const {
  std::vector<Precision> layers;
  detail::PrecisionChain chain(precision, layers);
  for (std::size_t i = 0; i < this->size(); ++i) {
    forward_[i].reduce(packed[i], chain.asked());
    chain.follow(forward_[i].execution(chain.asked()));
  }
  detail::check_precision(who, precision, layers);
}

template <class Scalar>
Tensor<Scalar> ForwardNetwork<Scalar>::forward(const Packed& packed, const Tensor<Scalar>& x,
                                               const SequenceContext<Scalar>& context) const {
  Tensor<Scalar> now;
  Tensor<Scalar> next;
  Mask mask = context.mask ? *context.mask : Mask();
  for (std::size_t i = 0; i < this->size(); ++i) {
    const Tensor<Scalar>& in = i == 0 ? x : std::as_const(now);
    forward_[i].forward(packed[i], in, next, this->pass_of(i, context, mask, Random()));
    mask = forward_[i].output_mask(in, mask);
    now.swap(next);
  }
  if (context.output_mask) *context.output_mask = std::move(mask);
  return now;
}

}  // namespace strata::inline STRATA_RUNTIME
