#pragma once

#include <span>

#include <strata/shape.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// -log p(labels | x) of a sample (Graves 2012) from the logits of its places, (T (L + 1),
/// classes), row t (L + 1) + u behind u labels, and the derivatives by them, divided by `samples`.
/// Most of the time goes into exponentials, so strata::compiled has it once for each instruction
/// set.
template <class Scalar>
[[nodiscard]] double transducer_loss(const Tensor<Scalar>& logits, std::span<const Index> labels,
                                     double samples, Tensor<Scalar>& derivative);

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/train/transducer_loss_definitions.hpp>
#endif
