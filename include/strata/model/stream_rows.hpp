#pragma once

#include <array>
#include <memory>
#include <tuple>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/model/network.hpp>
#include <strata/model/precision_chain.hpp>
#include <strata/model/state.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/precision.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

/// The numbers of the streams of a StreamBatch, a row for each: inputs (N, F), outputs (N, U) and
/// the state of each layer (N, S).
template <class Scalar>
struct StreamRows {
  std::vector<Scalar> inputs;
  std::vector<Scalar> outputs;
  State<Scalar> states;

  /// Makes room for `rows` rows and keeps the rows there are. `one` is a state of one stream, for
  /// its sizes. Throws ShapeError or MemoryError when memory cannot hold the rows; the rows are
  /// unchanged then.
  void resize(Index rows, const StreamSizes& step, const State<Scalar>& one);

  /// Sets all numbers of a row to zero.
  void clear(Index row);

  /// Copies row `from_row` of `from`, which may be this object, to `row`.
  void copy(const StreamRows& from, Index from_row, Index row);

 private:
  template <class F>
  void for_each_array(F f) {
    f(inputs);
    f(outputs);
    for (auto& layer : states.layers) f(layer);
  }
};

/// A copy of a model's layers with their packed weights, which runs one step of many streams.
template <class Scalar>
class BatchedLayers {
 public:
  /// `layers` is a tuple of layers or a vector of AnyLayer; `masks` says whether a layer makes a
  /// mask. Layers that cannot run in `precision` run in the full one.
  template <class Layers>
  BatchedLayers(const Layers& layers, bool masks, Precision precision) : masks_(masks) {
    const auto copy = std::make_shared<Layers>(layers);
    if constexpr (requires { copy->begin(); }) {
      for (const auto& layer : *copy) layers_.emplace_back(layer);
    } else {
      std::apply([&](auto&... layer) { (layers_.emplace_back(layer), ...); }, *copy);
    }
    owner_ = copy;
    packed_.resize(layers_.size());
    PrecisionChain chain(precision, precisions_);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      layers_[i].pack(packed_[i], false);
      layers_[i].reduce(packed_[i], chain.asked());
      chain.follow(layers_[i].execution(chain.asked()));
    }
  }

  /// In which precision each layer runs.
  [[nodiscard]] const std::vector<Precision>& precisions() const noexcept { return precisions_; }

  /// One step of `count` rows from row `first`. `shape` is the shape of the input of one stream;
  /// `values` is memory for the numbers between the layers.
  void step(StreamRows<Scalar>& rows, Index first, Index count, Shape shape,
            std::array<Tensor<Scalar>, 2>& values) const;

 private:
  /// Looks up ids row by row, as in Stream: an input that is no id makes the outputs of its own
  /// stream NaN, where a forward pass would have to throw for all streams.
  void step_ids(std::size_t i, const Tensor<Scalar>& ids, Tensor<Scalar>& y) const;

  std::shared_ptr<void> owner_;
  std::vector<StreamRef<Scalar>> layers_;
  std::vector<PackedStep<Scalar>> packed_;
  std::vector<Precision> precisions_;
  bool masks_;
};

}  // namespace strata::detail::inline STRATA_RUNTIME

#ifndef STRATA_COMPILED
#include <strata/model/stream_rows_definitions.hpp>
#endif
