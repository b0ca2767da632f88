#pragma once

#include <algorithm>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/product.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Working memory of add_weight_gradients.
template <class Scalar>
struct WeightGradientScratch {
  Buffer<Scalar> panels;
  Buffer<Scalar> strips;
  Buffer<Scalar> sums;
};

template <int Vectors, class Scalar, class X, class DY>
void add_weight_gradients_of_width(Index rows, Index inputs, Index units, X x, DY dy,
                                   Scalar* gradient, Index stride,
                                   WeightGradientScratch<Scalar>& scratch) {
  constexpr Index wide = Vectors * Pack<Scalar>::width;
  const Index panels = (units + wide - 1) / wide;
  scratch.panels.resize(panels * rows * wide);
  Scalar* to = scratch.panels.data();
  for (Index panel = 0; panel < panels; ++panel) {
    const Index used = (std::min)(wide, units - panel * wide);
    for (Index row = 0; row < rows; ++row, to += wide) {
      std::copy_n(dy(row) + panel * wide, used, to);
      std::fill(to + used, to + wide, Scalar(0));
    }
  }
  scratch.sums.resize(panels * inputs * wide);
  scratch.sums.fill(0);
  for (Index start = 0; start < rows; start += outer_product_rows) {
    const Index depth = (std::min)(outer_product_rows, rows - start);
    pack_strips(
        depth, inputs, false, [&](Index row) -> const Scalar* { return x(start + row); },
        scratch.strips);
    for (Index panel = 0; panel < panels; ++panel) {
      add_outer_product<Vectors>(
          static_cast<const Scalar*>(scratch.panels.data()) + (panel * rows + start) * wide, depth,
          inputs, static_cast<const Scalar*>(scratch.strips.data()),
          scratch.sums.data() + panel * inputs * wide);
    }
  }
  const Scalar* sum = scratch.sums.data();
  for (Index panel = 0; panel < panels; ++panel) {
    const Index used = (std::min)(wide, units - panel * wide);
    for (Index k = 0; k < inputs; ++k, sum += wide) {
      for (Index lane = 0; lane < used; ++lane) {
        gradient[k * stride + panel * wide + lane] += sum[lane];
      }
    }
  }
}

/// Adds the sum of x(row)^T dy(row) over all rows to `gradient`, a matrix of inputs x units in C
/// order whose rows lie `stride` numbers apart. x(row) points to `inputs` numbers, dy(row) to
/// `units`.
template <class Scalar, class X, class DY>
void add_weight_gradients(Index rows, Index inputs, Index units, X x, DY dy, Scalar* gradient,
                          Index stride, WeightGradientScratch<Scalar>& scratch) {
  if (units > Pack<Scalar>::width) {
    add_weight_gradients_of_width<tile_vectors<Scalar>>(rows, inputs, units, x, dy, gradient,
                                                        stride, scratch);
  } else {
    add_weight_gradients_of_width<1>(rows, inputs, units, x, dy, gradient, stride, scratch);
  }
}

}  // namespace strata::detail::inline STRATA_TARGET
