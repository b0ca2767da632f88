#pragma once

#include <algorithm>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/model/batch_reader.hpp>
#include <strata/model/forward_batches.hpp>
#include <strata/model/predict.hpp>
#include <strata/model/shards.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Throws where x or the options do not fit the network.
template <class Scalar>
void check_prediction(const ForwardNetwork<Scalar>& network, const Tensor<Scalar>& x,
                      const PredictOptions<Scalar>& options) {
  if (options.batch_size < 1) detail::raise<ValueError>("predict: batch_size must be at least 1");
  check_sequences(network, x, options.mask, options.state);
}

/// The outputs for x, which has been checked.
template <class Scalar>
Tensor<Scalar> predict_checked(const ForwardNetwork<Scalar>& network,
                               const typename ForwardNetwork<Scalar>::Packed& packed,
                               const Tensor<Scalar>& x, const PredictOptions<Scalar>& options) {
  std::vector<Shard> shards;
  for (Index first = 0; first < x.batch(); first += options.batch_size) {
    for (const Shard& shard : shards_of(std::min(options.batch_size, x.batch() - first))) {
      shards.push_back({first + shard.first, shard.count});
    }
  }
  return forward(network, packed, x, shards, {&options.mask, options.state});
}

template <class Scalar>
Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network,
                       const typename ForwardNetwork<Scalar>::Packed& packed,
                       const Tensor<Scalar>& x, const PredictOptions<Scalar>& options) {
  check_prediction(network, x, options);
  return predict_checked(network, packed, x, options);
}

template <class Scalar>
Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network, const Tensor<Scalar>& x,
                       const PredictOptions<Scalar>& options) {
  check_prediction(network, x, options);
  typename ForwardNetwork<Scalar>::Packed packed;
  network.pack(packed, false);
  if (options.precision != Precision::full) network.reduce("predict", packed, options.precision);
  return predict_checked(network, packed, x, options);
}

template <class Scalar>
Tensor<Scalar> predict(const ForwardNetwork<Scalar>& network, const AnySource<Scalar>& samples,
                       const PredictOptions<Scalar>& options) {
  if (options.batch_size < 1) detail::raise<ValueError>("predict: batch_size must be at least 1");
  if (!options.mask.empty() || options.state) {
    detail::raise<ValueError>(
        "predict: mask and state are for samples in memory; a source sets batch.mask and "
        "batch.state");
  }
  const Index size = samples.size();
  if (size < 1) detail::raise<ShapeError>("predict: the source has no samples");
  Tensor<Scalar> all;
  Index done = 0;
  BatchReader<Scalar> reader(samples, {network.peers()}, numbers_from(0, size), options.batch_size);
  for (Batch<Scalar> batch; reader.read(batch);) {
    const Index count = static_cast<Index>(reader.last_numbers().size());
    if (batch.x.batch() != count) {
      fail<ShapeError>({"predict: the source was asked for ", count,
                        " samples, and has filled x with ", batch.x.batch()});
    }
    State<Scalar>* const state = batch.state.empty() ? nullptr : &batch.state;
    const Tensor<Scalar> part = predict(network, batch.x,
                                        PredictOptions<Scalar>{.batch_size = count,
                                                               .mask = batch.mask,
                                                               .state = state,
                                                               .precision = options.precision});
    Shape shape = part.shape();
    shape[0] = size;
    if (all.empty()) all.resize(shape);
    if (all.shape() != shape) {
      fail<ShapeError>({"predict: the outputs of sample ", done, " have the shape ", shape,
                        ", those before it ", all.shape(),
                        "; fill batches with sequences of one length"});
    }
    std::copy_n(part.data(), part.size(), all.data() + done * (part.size() / count));
    done += count;
  }
  return all;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
