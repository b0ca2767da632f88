#pragma once

#include <cstdint>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/pair_tile.hpp>
#include <strata/recurrent/gated/batch_kernel.hpp>
#include <strata/recurrent/gated/gate_products.hpp>
#include <strata/recurrent/gated/int16_weights.hpp>
#include <strata/target.hpp>

// A step of a batch whose weights are 16-bit integers: one instruction multiplies twice as many of
// them as of floats.

namespace strata::detail::inline STRATA_TARGET {

/// Numbers of the sequences of a chunk, rounded to integers.
struct Int16Scratch {
  Buffer<std::int16_t> values;
  float unusual[tile_chunk];
};

/// Adds the products of some rows of integer weights, from row `first` on, with the numbers of
/// `count` sequences to the pre-activations of a panel: to `from`, a row for all sequences, or to
/// the rows of z where `from` is null. A sequence has `integers` numbers in `scratch`.
template <class Width, class Gates>
STRATA_ALWAYS_INLINE void multiply_int16(const Int16Weights<Gates>& weights, Index first,
                                         Index integers, Index panel, Width, Index count,
                                         const Int16Scratch& scratch, const float* from, float* z) {
  constexpr int width = Pack<float>::width;
  constexpr int registers = GatePacked<float, Gates>::registers(Width::value);
  constexpr Index row = registers * width;
  for_vector_blocks<float, registers>([&](auto block, auto vectors) {
    const Index lane = block * width;
    multiply_pair_columns<vectors>({.first = weights.panel_rows(panel) + first * row + lane,
                                    .step = row,
                                    .pairs = integers / 2,
                                    .factors = weights.panel_factors(panel) + lane},
                                   count, [&](Index n) -> PairTileColumn {
                                     float* const to = z + n * row + lane;
                                     return {.values = scratch.values.data() + n * integers,
                                             .unusual = scratch.unusual[n],
                                             .from = from ? from + lane : to,
                                             .to = to};
                                   });
  });
}

/// The products of a step of a batch, as GateProducts, with integers for h and, where the weights
/// have rows for it, for x. Where the pre-activations are `ready`, they are bias + W x already.
template <class Gates>
class Int16GateProducts {
 public:
  Int16GateProducts(const GatePacked<float, Gates>& packed, const Int16Weights<Gates>& weights,
                    const ScanStep<float>& at, bool ready, Int16Scratch& scratch)
      : packed_(packed),
        weights_(weights),
        at_(at),
        x_products_(packed, at, ProductsOf::x),
        scratch_(scratch),
        x_in_float_(!ready && weights.x_pairs == 0),
        x_pairs_(ready ? 0 : weights.x_pairs),
        h_pairs_(at.h_before ? weights.h_pairs : 0) {}

  STRATA_ALWAYS_INLINE void begin(Index start, Index count) {
    count_ = count;
    if (x_in_float_) x_products_.begin(start, count);
    scratch_.values.resize(count * integers() + Pack<float>::width);
    for (Index n = 0; n < count; ++n) {
      std::int16_t* const to = scratch_.values.data() + n * integers();
      float unusual = 0;
      if (x_pairs_ > 0) unusual += to_int16(packed_.inputs, at_.x(start + n), to);
      if (h_pairs_ > 0) {
        unusual += to_int16(packed_.outputs, at_.h_before(start + n), to + 2 * x_pairs_);
      }
      scratch_.unusual[n] = unusual;
    }
  }

  template <class Width>
  STRATA_ALWAYS_INLINE void operator()(Index panel, Width width, float* z) const {
    if (x_in_float_) x_products_(panel, width, z);
    multiply_int16(weights_, weights_.x_pairs - x_pairs_, integers(), panel, width, count_,
                   scratch_, x_pairs_ > 0 ? packed_.bias(panel) : nullptr, z);
  }

 private:
  /// The integers of a sequence.
  [[nodiscard]] Index integers() const noexcept { return 2 * (x_pairs_ + h_pairs_); }

  const GatePacked<float, Gates>& packed_;
  const Int16Weights<Gates>& weights_;
  const ScanStep<float>& at_;
  GateProducts<float, Gates> x_products_;
  Int16Scratch& scratch_;
  const bool x_in_float_;
  const Index x_pairs_;
  const Index h_pairs_;
  Index count_ = 0;
};

/// As gates_forward, for a prediction.
template <class Gates, class Equations>
void gates_int16_forward(const Equations& equations, const GatePacked<float, Gates>& packed,
                         const Int16Weights<Gates>& weights, const ScanStep<float>& at, bool ready,
                         float* z, Rows<float> h_to, Int16Scratch& scratch) {
  Int16GateProducts<Gates> products(packed, weights, at, ready, scratch);
  gates_forward_by<false>(equations, packed, at, z, h_to, products);
}

/// As gates_of_inputs, where the weights have rows for x.
template <class Gates>
void gates_of_int16_inputs(const GatePacked<float, Gates>& packed,
                           const Int16Weights<Gates>& weights, const Scan<float>& window, float* z,
                           Int16Scratch& scratch) {
  const Index integers = 2 * weights.x_pairs;
  for_chunks(window.rows(), [&](Index start, Index count) {
    scratch.values.resize(count * integers + Pack<float>::width);
    for (Index n = 0; n < count; ++n) {
      scratch.unusual[n] =
          to_int16(packed.inputs, window.x_row(start + n), scratch.values.data() + n * integers);
    }
    for_each_panel(packed, [&](Index panel, auto width) {
      multiply_int16(weights, 0, integers, panel, width, count, scratch, packed.bias(panel),
                     tape_row(packed, z, window.rows(), panel, start));
    });
  });
}

}  // namespace strata::detail::inline STRATA_TARGET
