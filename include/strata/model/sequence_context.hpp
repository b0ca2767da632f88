#pragma once

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_RUNTIME {

/// What a forward pass over a batch of sequences is given besides x. Each pointer may be null.
template <class Scalar>
struct SequenceContext {
  /// Which steps of x count, (B, T); null or empty: all.
  const Mask* mask = nullptr;
  /// The state before the first step, overwritten by the state after the last. It may hold more
  /// sequences than the batch: sequence 0 of the batch is sequence `first` of the state.
  State<Scalar>* state = nullptr;
  Index first = 0;
  /// Receives the mask of the output.
  Mask* output_mask = nullptr;
  /// Whether these steps follow earlier steps of the same sequences; see Pass.
  bool continues = false;
};

}  // namespace strata::inline STRATA_RUNTIME
