#pragma once

#include <string>

#include <strata/model/batch.hpp>
#include <strata/model/batch_reader.hpp>
#include <strata/model/forward_network.hpp>
#include <strata/model/sample_source.hpp>
#include <strata/model/sequence_context.hpp>
#include <strata/model/state.hpp>
#include <strata/target.hpp>
#include <strata/train/batch_checks.hpp>
#include <strata/train/history.hpp>
#include <strata/train/totals.hpp>
#include <strata/train/training.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// Loss and metrics over `count` samples of a source from `first` on, batch by batch. `state`: the
/// states of these samples, which are read and overwritten; where it is null, each batch begins in
/// the state that it has.
template <class Scalar>
[[nodiscard]] Evaluation evaluate(const ForwardNetwork<Scalar>& network,
                                  const Training<Scalar>& training, const AnySource<Scalar>& source,
                                  Index first, Index count, Index batch_size,
                                  State<Scalar>* state = nullptr) {
  typename ForwardNetwork<Scalar>::Packed packed;
  network.pack(packed, false);
  Totals<Scalar> totals(training.metrics);
  BatchReader<Scalar> reader(source, {network.peers()}, numbers_from(first, count), batch_size);
  Index done = 0;
  for (Batch<Scalar> batch; reader.read(batch);) {
    if (!source.all())
      check_batch(network, training, batch, reader.last_numbers(), reader.last_rows());
    SequenceContext<Scalar> context{.mask = &batch.mask};
    if (state) {
      context.state = state;
      context.first = done;
    } else if (!batch.state.empty()) {
      context.state = &batch.state;
    }
    training.test(network, packed, batch.x, {batch.y, batch.sample_weight}, context, totals);
    done += batch.x.batch();
  }
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
