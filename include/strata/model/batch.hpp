#pragma once

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/sample_weights.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Samples that are trained or scored together.
template <class Scalar>
struct Batch {
  /// (B, F) or (B, T, F), or ids (B, T).
  Tensor<Scalar> x;
  /// The targets, as the loss takes them.
  Tensor<Scalar> y;
  /// The steps of x that count, (B, T); empty where all do.
  Mask mask;
  /// The weights of samples (B) or steps (B, T) in the loss; empty where all weigh 1.
  SampleWeights<Scalar> sample_weight;
  /// The state before the first step; empty where it is zero.
  State<Scalar> state;
};

}  // namespace strata::inline STRATA_RUNTIME
