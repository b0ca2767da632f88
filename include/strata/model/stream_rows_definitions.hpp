#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include <strata/base/sizes.hpp>
#include <strata/contracts/any_layer.hpp>
#include <strata/contracts/weight_order.hpp>
#include <strata/model/network.hpp>
#include <strata/model/state.hpp>
#include <strata/model/stream_checks.hpp>
#include <strata/model/stream_rows.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_RUNTIME {

template <class Scalar>
void StreamRows<Scalar>::resize(Index rows, const StreamSizes& step, const State<Scalar>& one) {
  states.layers.resize(one.layers.size());
  const auto for_each = [&](auto f) {
    f(inputs, sizes::count({rows, step.inputs}));
    f(outputs, sizes::count({rows, step.outputs}));
    for (std::size_t i = 0; i < one.layers.size(); ++i) {
      f(states.layers[i], sizes::count({rows, static_cast<Index>(one.layers[i].size())}));
    }
  };
  for_each([](auto& array, Index count) { sizes::reserve(array, count); });
  for_each([](auto& array, Index count) { sizes::resize(array, count); });
  states.batch = rows;
}

template <class Scalar>
void StreamRows<Scalar>::clear(Index row) {
  for_each_array([&](std::vector<Scalar>& array) {
    const Index size = static_cast<Index>(array.size()) / states.batch;
    std::fill_n(array.begin() + row * size, size, Scalar(0));
  });
}

template <class Scalar>
void StreamRows<Scalar>::copy(const StreamRows& from, Index from_row, Index row) {
  const auto copy_part = [&](const std::vector<Scalar>& source, std::vector<Scalar>& target) {
    const Index size = static_cast<Index>(target.size()) / states.batch;
    std::copy_n(source.begin() + from_row * size, size, target.begin() + row * size);
  };
  copy_part(from.inputs, inputs);
  copy_part(from.outputs, outputs);
  for (std::size_t i = 0; i < states.layers.size(); ++i) {
    copy_part(from.states.layers[i], states.layers[i]);
  }
}

template <class Scalar>
void BatchedLayers<Scalar>::step(StreamRows<Scalar>& rows, Index first, Index count, Shape shape,
                                 std::array<Tensor<Scalar>, 2>& values) const {
  const Scalar* const inputs = rows.inputs.data() + first * shape.back();
  shape[0] = count;
  const auto x = Tensor<Scalar>::view(inputs, shape);
  const Tensor<Scalar>* from = &x;
  Mask mask;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Tensor<Scalar>& to = values[i % 2];
    if (layers_[i].accepts() == Accepts::ids) {
      step_ids(i, *from, to);
    } else {
      Pass<Scalar> pass{.continues = true};
      if (!mask.empty()) pass.mask = &mask;
      pass.final_state = rows.states.rows(i, first);
      pass.initial_state = pass.final_state;
      layers_[i].forward(packed_[i], *from, to, pass);
    }
    if (masks_) mask = layers_[i].output_mask(*from, mask);
    from = &to;
  }
  std::copy_n(from->data(), from->size(), rows.outputs.data() + first * from->features());
}

template <class Scalar>
void BatchedLayers<Scalar>::step_ids(std::size_t i, const Tensor<Scalar>& ids,
                                     Tensor<Scalar>& y) const {
  y.resize(layers_[i].output_shape(ids.shape()));
  for (Index row = 0; row < ids.batch(); ++row) {
    packed_[i].step(ids.data() + row, nullptr, y.data() + row * y.features(),
                    WeightOrder::ascending);
  }
}

}  // namespace strata::detail::inline STRATA_RUNTIME
