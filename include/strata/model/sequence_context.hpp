#pragma once

#include <strata/mask.hpp>
#include <strata/model/state.hpp>
#include <strata/shape.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// What a batch of sequences brings besides its numbers. All of it may be null.
template <class Scalar>
struct SequenceContext {
  /// Which steps count, (B, T).
  const Mask* mask = nullptr;
  /// The state before, which becomes the state after. Sequence 0 of the batch is sequence `first`
  /// of the state.
  State<Scalar>* state = nullptr;
  Index first = 0;
  /// Where the mask of the output goes.
  Mask* output_mask = nullptr;
  /// Whether the steps go on from earlier ones of the same sequences; see Pass.
  bool continues = false;
};

}  // namespace strata::inline STRATA_TARGET
