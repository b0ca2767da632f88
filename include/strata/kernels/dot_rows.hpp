#pragma once

#include <algorithm>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A matrix of few outputs by many inputs, and a bias for each output. The weights of an output are
/// one row, padded with zeros to whole registers, and the output is one dot product: a tile would
/// leave most lanes of its registers empty.
template <class Scalar>
class DotRows {
 public:
  /// Packs element(lane, k) and bias(lane).
  template <class Element, class Bias>
  void pack(Index lanes, Index depth, Element element, Bias bias) {
    lanes_ = lanes;
    depth_ = depth;
    row_ = padded<Scalar>(depth);
    values_.resize(lanes * row_ + lanes);
    values_.fill(0);
    for (Index lane = 0; lane < lanes; ++lane) {
      for (Index k = 0; k < depth; ++k) values_.data()[lane * row_ + k] = element(lane, k);
      values_.data()[lanes * row_ + lane] = bias(lane);
    }
  }

  /// y[lane] = bias[lane] + sum over k of matrix(lane, k) * x[k]. Lanes and Depth are Dynamic, or
  /// the packed sizes.
  template <Index Lanes = Dynamic, Index Depth = Dynamic>
  void apply(const Scalar* x, Scalar* y) const noexcept {
    const Index lanes = Lanes == Dynamic ? lanes_ : Lanes;
    const Index depth = Depth == Dynamic ? depth_ : Depth;
    const Index row_size = Depth == Dynamic ? row_ : padded<Scalar>(Depth);
    const Scalar* row = values_.data();
    const Scalar* const bias = row + lanes * row_size;
    for (Index lane = 0; lane < lanes; ++lane, row += row_size) {
      P even = P::broadcast(0);
      P odd = P::broadcast(0);
      Index k = 0;
      for (; k + 2 * P::width <= depth; k += 2 * P::width) {
        even = multiply_add(P::load(row + k), P::load(x + k), even);
        odd = multiply_add(P::load(row + k + P::width), P::load(x + k + P::width), odd);
      }
      for (; k < depth; k += P::width) {
        const Index used = std::min<Index>(P::width, depth - k);
        even = multiply_add(P::load(row + k), load_lanes<P>(x + k, used), even);
      }
      y[lane] = bias[lane] + sum(even + odd);
    }
  }

 private:
  using P = Pack<Scalar>;

  Buffer<Scalar> values_;
  Index lanes_ = 0;
  Index depth_ = 0;
  Index row_ = 0;
};

}  // namespace strata::detail::inline STRATA_TARGET
