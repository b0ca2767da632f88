#pragma once

#include <strata/kernels/tile.hpp>
#include <strata/recurrent/gated/packed.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Which products of a step GateProducts computes: those with x and h, from the bias on; those with
/// x alone; or those with h alone, which are added to pre-activations that are bias + W x already
/// (gates_of_inputs).
enum class ProductsOf { x_and_h, x, h };

/// The products of a step of a batch in the cell's own numbers.
template <class Scalar, class Gates>
class GateProducts {
 public:
  GateProducts(const GatePacked<Scalar, Gates>& packed, const ScanStep<Scalar>& at, ProductsOf of)
      : packed_(packed), at_(at), of_(of) {}

  /// Begins with the sequences of a chunk.
  STRATA_ALWAYS_INLINE void begin(Index start, Index count) {
    segment_count_ = 0;
    count_ = count;
    if (of_ != ProductsOf::h) {
      for (Index n = 0; n < count; ++n) x_[n] = at_.x(start + n);
      segments_[segment_count_++] = {.depth = packed_.inputs, .step = 1, .columns = x_};
    }
    if (of_ != ProductsOf::x && at_.h_before) {
      for (Index n = 0; n < count; ++n) h_before_[n] = at_.h_before(start + n);
      segments_[segment_count_++] = {.depth = packed_.outputs, .step = 1, .columns = h_before_};
    }
  }

  /// The pre-activations of a panel for all sequences of the chunk, to rows of z.
  template <class Width>
  STRATA_ALWAYS_INLINE void operator()(Index panel, Width, Scalar* z) const {
    using Packed = GatePacked<Scalar, Gates>;
    constexpr int registers = Packed::registers(Width::value);
    constexpr Index row = registers * Packed::width;
    const bool adds = of_ == ProductsOf::h;
    for_vector_blocks<Scalar, registers>([&](auto block, auto vectors) {
      const Index lane = block * Packed::width;
      multiply_columns<vectors>(
          segments_, segment_count_, count_,
          adds ? packed_.recurrent(panel, block, vectors) : packed_.kernel(panel, block, vectors),
          [&](Index n) { return (adds ? z + n * row : packed_.bias(panel)) + lane; },
          [&](Index n) { return z + n * row + lane; });
    });
  }

 private:
  const GatePacked<Scalar, Gates>& packed_;
  const ScanStep<Scalar>& at_;
  const ProductsOf of_;
  Index count_ = 0;
  Index segment_count_ = 0;
  TileSegment<Scalar> segments_[2];
  const Scalar* x_[tile_chunk];
  const Scalar* h_before_[tile_chunk];
};

}  // namespace strata::detail::inline STRATA_TARGET
