#pragma once

#include <utility>

#include <strata/target.hpp>
#include <strata/train/transducer_trainer.hpp>
#include <strata/train/transducer_training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
Owned<TransducerTraining<Scalar>> transducer_training_of(Optimizer<Scalar> optimizer) {
  Owned<TransducerTraining<Scalar>> training;
  training.emplace(GuardedUpdate<Scalar>(std::move(optimizer), WeightRules()));
  return training;
}

template <class Scalar>
Optimizer<Scalar>& optimizer_of(TransducerTraining<Scalar>& training) noexcept {
  return training.optimizer();
}

template <class Scalar>
double transducer_step(TransducerTraining<Scalar>& training,
                       const TransducerNetworks<Scalar>& networks, const Tensor<Scalar>& x,
                       const Tensor<Scalar>& labels, const TransducerOptions& options,
                       const Random& random, bool learns) {
  return training.step(networks, x, labels, options, random, learns);
}

}  // namespace strata::detail::inline STRATA_RUNTIME
