#pragma once

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// Options of predict and evaluate.
template <class Scalar>
struct PredictOptions {
  /// Samples that are computed together; any number above that of all samples: all of them.
  Index batch_size = 32;
  /// Which steps of x count, (B, T); all of them without. See also Mask::from_lengths.
  Mask mask = {};
  /// The state of all B sequences before the first step, which becomes that after the last; empty:
  /// zeros. Without it every sequence starts from zeros.
  State<Scalar>* state = nullptr;
};

/// What a batch brings to train_on_batch, test_on_batch and Trainer::step; see PredictOptions.
template <class Scalar>
struct BatchOptions {
  Mask mask = {};
  State<Scalar>* state = nullptr;
};

}  // namespace strata::inline STRATA_TARGET
