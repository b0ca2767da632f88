#pragma once

#include <algorithm>
#include <vector>

#include <strata/base/message.hpp>
#include <strata/base/sizes.hpp>
#include <strata/error.hpp>
#include <strata/error_handler.hpp>
#include <strata/rows.hpp>
#include <strata/shape.hpp>

namespace strata {

/// What a model remembers of B sequences between steps, streams or calls: for each layer, (B, S)
/// numbers in C order. S is 2 U for an LSTM, h before c, and 0 for a layer without a state. The
/// numbers are plain, to keep, compare or send. A State without layers stands for zeros.
template <class Scalar>
struct State {
  /// B.
  Index batch = 1;
  /// The numbers of each layer, in the order of the model's layers.
  std::vector<std::vector<Scalar>> layers;

  [[nodiscard]] bool empty() const noexcept { return layers.empty(); }

  /// S of a layer: the numbers that it remembers of one sequence.
  [[nodiscard]] Index size(std::size_t layer) const noexcept {
    return static_cast<Index>(layers[layer].size()) / batch;
  }
  /// The rows of a layer's numbers, S each, from sequence `first` on.
  [[nodiscard]] Rows<Scalar> rows(std::size_t layer, Index first = 0) & noexcept {
    return {layers[layer].data() + first * size(layer), size(layer)};
  }

  /// The state of `count` sequences from sequence `first` on. Throws ValueError when count is below
  /// 1 or the sequences are not among the B.
  [[nodiscard]] State part(Index first, Index count) const {
    check_part(first, count);
    State state{count, {}};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto begin = layers[i].begin() + first * size(i);
      state.layers.emplace_back(begin, begin + count * size(i));
    }
    return state;
  }

  /// Replaces the state of part.batch sequences from sequence `first` on. Throws ValueError when
  /// the sequences are not among the B, ShapeError when the part has other layers.
  void set_part(Index first, const State& part) {
    check_part(first, part.batch);
    bool fits = layers.size() == part.layers.size();
    for (std::size_t i = 0; fits && i < layers.size(); ++i) {
      fits = layers[i].size() / static_cast<std::size_t>(batch) ==
                 part.layers[i].size() / static_cast<std::size_t>(part.batch) &&
             part.layers[i].size() % static_cast<std::size_t>(part.batch) == 0;
    }
    if (!fits) detail::raise<ShapeError>("set_part: the part is the state of another model");
    for (std::size_t i = 0; i < layers.size(); ++i) {
      std::copy(part.layers[i].begin(), part.layers[i].end(), layers[i].begin() + first * size(i));
    }
  }

  /// Sets the state of all sequences to zeros.
  void reset() noexcept {
    for (auto& layer : layers) std::fill(layer.begin(), layer.end(), Scalar(0));
  }
  /// Sets the state of `count` sequences from sequence `first` on to zeros. Throws ValueError when
  /// count is below 1 or the sequences are not among the B.
  void reset(Index first, Index count) {
    check_part(first, count);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      std::fill_n(layers[i].begin() + first * size(i), count * size(i), Scalar(0));
    }
  }

  [[nodiscard]] bool operator==(const State&) const = default;

 private:
  void check_part(Index first, Index count) const {
    sizes::check_range<ValueError>("sequences", first, count, "a state", batch);
    if (count < 1) detail::raise<ValueError>("a part of a state has at least 1 sequence");
  }
};

}  // namespace strata
