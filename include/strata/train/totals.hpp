#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <strata/mask.hpp>
#include <strata/sample_weights.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>
#include <strata/train/history.hpp>
#include <strata/train/metric.hpp>
#include <strata/train/state_visitor.hpp>

namespace strata::inline STRATA_RUNTIME {

/// Sums of the loss and of the metrics over batches, for their means. As in Keras, the weight of a
/// batch in the mean loss is its number of samples, and all rows, or samples, have the same weight
/// in the mean of a metric. A batch may come in parts, windows of its steps; the weight of a part
/// in the loss of its batch is its number of rows that count.
template <class Scalar>
class Totals {
 public:
  explicit Totals(const std::vector<Metric<Scalar>>& metrics)
      : metrics_(&metrics), sums_(metrics.size()) {}

  /// Adds a part of a batch. `loss`: the mean loss of the part. `mask`: the steps of the prediction
  /// that count; empty where all count.
  void add_part(double loss, const Tensor<Scalar>& prediction, const Tensor<Scalar>& target,
                const Mask& mask = {}, const SampleWeights<Scalar>& weights = {}) {
    const Index rows = mask.empty() ? prediction.batch() * prediction.steps() : mask.count();
    // Here and below a sum is rounded once, with every instruction set.
    batch_loss_ = std::fma(loss, static_cast<double>(rows), batch_loss_);
    batch_rows_ += rows;
    part_loss_ = loss;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const std::vector<double> part = (*metrics_)[i].sums(prediction, target, mask, weights);
      sums_[i].resize(part.size(), 0.0);
      for (std::size_t k = 0; k < part.size(); ++k) sums_[i][k] += part[k];
    }
  }

  /// Ends a batch of `samples` sequences, which consists of the parts since the last batch.
  void end_batch(Index samples) {
    // Where no row counts, the loss of each part is the penalty of the weights alone.
    const double mean =
        batch_rows_ > 0 ? batch_loss_ / static_cast<double>(batch_rows_) : part_loss_;
    loss_ = std::fma(mean, static_cast<double>(samples), loss_);
    samples_ += samples;
    batch_loss_ = 0;
    batch_rows_ = 0;
  }

  /// Forgets all batches.
  void reset() { *this = Totals(*metrics_); }

  /// Zeros where there was no batch.
  [[nodiscard]] Evaluation means() const {
    Evaluation means;
    means.loss = samples_ == 0 ? 0 : loss_ / static_cast<double>(samples_);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const Metric<Scalar>& metric = (*metrics_)[i];
      means.metrics.set(metric.name(), sums_[i].empty() ? 0 : metric.result(sums_[i]));
    }
    return means;
  }

  /// Visits all sums. To be called between two batches, when no part is waiting for the end of its
  /// batch.
  void visit_state(StateVisitor visit) {
    for (std::size_t i = 0; i < sums_.size(); ++i) visit("sums_" + std::to_string(i), sums_[i]);
    visit("loss", loss_);
    visit("samples", samples_);
  }

 private:
  const std::vector<Metric<Scalar>>* metrics_;
  /// Of each metric; empty before the first part.
  std::vector<std::vector<double>> sums_;
  double loss_ = 0;
  Index samples_ = 0;
  double batch_loss_ = 0;
  Index batch_rows_ = 0;
  double part_loss_ = 0;
};

}  // namespace strata::inline STRATA_RUNTIME
