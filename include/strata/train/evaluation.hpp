#pragma once

#include <string>

#include <strata/model/forward_batches.hpp>
#include <strata/model/network.hpp>
#include <strata/model/options.hpp>
#include <strata/model/sequential.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/history.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Loss and metrics over all samples of checked data, x (B, F) or (B, T, F), batch by batch.
template <class Scalar>
[[nodiscard]] Evaluation evaluate(const ForwardNetwork<Scalar>& network,
                                  const Training<Scalar>& training, const Tensor<Scalar>& x,
                                  const Tensor<Scalar>& y, const PredictOptions<Scalar>& options) {
  typename ForwardNetwork<Scalar>::Packed packed;
  network.pack(packed, false);
  Totals<Scalar> totals(training.metrics);
  for_each_batch(x, options, [&](const Tensor<Scalar>& part, const auto& context, Index first) {
    training.test(network, packed, part, y.rows(first, part.batch()), context, totals);
  });
  return totals.means();
}

/// The figures of an epoch: "loss" and the metrics, with a prefix before each name.
[[nodiscard]] inline Logs logs_of(const Evaluation& figures, const std::string& prefix) {
  Logs logs;
  logs.set(prefix + "loss", figures.loss);
  for (const auto& [name, value] : figures.metrics) logs.set(prefix + name, value);
  return logs;
}

}  // namespace strata::detail::inline STRATA_RUNTIME
