#pragma once

#include <strata/model/forward_network.hpp>
#include <strata/model/options.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The outputs for all samples of x, computed batch by batch.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network, const Tensor<Scalar>& x,
                                     const PredictOptions<Scalar>& options);

/// The same with weights that are packed already, in which options.precision has no part.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network,
                                     const typename ForwardNetwork<Scalar>::Packed& packed,
                                     const Tensor<Scalar>& x,
                                     const PredictOptions<Scalar>& options);

/// The outputs for all samples of a source. Throws ShapeError where batches have outputs of several
/// shapes.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network,
                                     const AnySource<Scalar>& samples,
                                     const PredictOptions<Scalar>& options);

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/predict_definitions.hpp>
#endif
