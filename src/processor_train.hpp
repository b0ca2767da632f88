#pragma once

#include <strata/model/ctc_decoding_definitions.hpp>
#include <strata/train/arithmetic_definitions.hpp>
#include <strata/train/ctc_definitions.hpp>
#include <strata/train/forecast_losses.hpp>
#include <strata/train/label_error_rate.hpp>
#include <strata/train/losses.hpp>
#include <strata/train/metrics.hpp>
#include <strata/train/mixture_density.hpp>
#include <strata/train/optimizers.hpp>
#include <strata/train/pen_density.hpp>
#include <strata/train/transducer_loss_definitions.hpp>

#include "processor_code.hpp"

namespace strata::detail::inline STRATA_TARGET {

template <class... L, class Scalar>
void put_losses(ProcessorCode<Scalar>& code) {
  ((code.losses[Held<L>::number] =
        [](const void* settings) { return loss_of<Scalar>(*static_cast<const L*>(settings)); }),
   ...);
}

template <class... M, class Scalar>
void put_metrics(ProcessorCode<Scalar>& code) {
  ((code.metrics[Held<M>::number] =
        [](const void* settings) { return metric_of<Scalar>(*static_cast<const M*>(settings)); }),
   ...);
}

template <class... O, class Scalar>
void put_rules(ProcessorCode<Scalar>& code) {
  ((code.rules[Held<O>::number] =
        [](const void* settings) { return rule_of<Scalar>(*static_cast<const O*>(settings)); }),
   ...);
}

template <class Scalar>
void put_training(ProcessorCode<Scalar>& code) {
  put_losses<MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossentropy,
             CategoricalCrossentropy, SparseCategoricalCrossentropy, CTC, GaussianNLL, Quantiles,
             MixtureDensity, PenDensity>(code);
  put_metrics<MeanSquaredError, MeanAbsoluteError, Huber, BinaryCrossentropy,
              CategoricalCrossentropy, SparseCategoricalCrossentropy, CTC, GaussianNLL, Quantiles,
              MixtureDensity, PenDensity, BinaryAccuracy, CategoricalAccuracy,
              SparseCategoricalAccuracy, Accuracy, RootMeanSquaredError, LabelErrorRate>(code);
  put_rules<SGD, RMSprop, Adam, AdamW>(code);
  code.transducer_loss = transducer_loss<Scalar>;
  code.sum_of_squares = sum_of_squares<Scalar>;
  code.add_penalty = add_penalty<Scalar>;
  code.add_noise = add_noise<Scalar>;
  code.add_to = add_to<Scalar>;
}

extern template void put_training(ProcessorCode<float>&);
extern template void put_training(ProcessorCode<double>&);

}  // namespace strata::detail::inline STRATA_TARGET
