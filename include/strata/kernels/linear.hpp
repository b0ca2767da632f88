#pragma once

#include <algorithm>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/dot_rows.hpp>
#include <strata/kernels/product.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// y = x W + b for rows of numbers, with W (F, U) in C order and b (U). The arguments x, y, dx and
/// dy are functions: x(row) points to the numbers of that row.
template <class Scalar>
class Linear {
 public:
  /// Working memory of add_gradients.
  struct Scratch {
    Buffer<Scalar> panels;
    Buffer<Scalar> strips;
    Buffer<Scalar> sums;
  };

  /// Packs W and b. A null `bias` is zeros; `more` is added to each of its numbers. Only with
  /// `training` can apply_transposed be called. W may be columns of a wider matrix whose rows lie
  /// `stride` numbers apart; 0 stands for U.
  void pack(Index inputs, Index units, const Scalar* kernel, const Scalar* bias, bool training,
            Index stride = 0, Scalar more = 0) {
    if (stride == 0) stride = units;
    inputs_ = inputs;
    units_ = units;
    const auto weight = [&](Index unit, Index k) { return kernel[k * stride + unit]; };
    const auto bias_of = [&](Index unit) { return bias ? bias[unit] + more : more; };
    if (are_few(units)) {
      dots_.pack(units, inputs, weight, bias_of);
    } else {
      weights_.pack(units, inputs, weight, bias_of);
    }
    if (training) {
      transposed_.pack(inputs, units, [&](Index k, Index unit) { return weight(unit, k); });
    }
  }

  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index units() const noexcept { return units_; }

  /// y(row) = x(row) W + b. Inputs and Units are Dynamic, or the packed sizes.
  template <Index Inputs = Dynamic, Index Units = Dynamic, class X, class Y>
  void apply(Index rows, X x, Y y) const noexcept {
    if (are_few(Units == Dynamic ? units() : Units)) {
      for (Index row = 0; row < rows; ++row) dots_.template apply<Units, Inputs>(x(row), y(row));
      return;
    }
    multiply(
        weights_, rows, inputs(), [&](Index row, Index) -> const Scalar* { return x(row); }, y);
  }

  /// dx(row) = dy(row) W^T.
  template <class DY, class DX>
  void apply_transposed(Index rows, DY dy, DX dx) const noexcept {
    multiply(
        transposed_, rows, units(), [&](Index row, Index) -> const Scalar* { return dy(row); }, dx);
  }

  /// Adds the sum of x(row)^T dy(row) over all rows to dW, `kernel`, and the sum of dy(row) to db,
  /// `bias`, unless `bias` is null. `stride` is as in pack.
  template <class X, class DY>
  void add_gradients(Index rows, X x, DY dy, Scalar* kernel, Scalar* bias, Scratch& scratch,
                     Index stride = 0) const {
    if (stride == 0) stride = units();
    if (bias) {
      for (Index row = 0; row < rows; ++row) {
        const Scalar* const from = dy(row);
        for (Index unit = 0; unit < units(); ++unit) bias[unit] += from[unit];
      }
    }
    if (units() > Pack<Scalar>::width) {
      add_kernel_gradient<tile_vectors<Scalar>>(rows, x, dy, kernel, stride, scratch);
    } else {
      add_kernel_gradient<1>(rows, x, dy, kernel, stride, scratch);
    }
  }

 private:
  /// Whether the units would leave most lanes of a register empty; each unit is then one dot
  /// product (DotRows).
  static constexpr bool are_few(Index units) noexcept { return 4 * units <= Pack<Scalar>::width; }

  template <int Vectors, class X, class DY>
  void add_kernel_gradient(Index rows, X x, DY dy, Scalar* gradient, Index stride,
                           Scratch& scratch) const {
    constexpr Index wide = Vectors * Pack<Scalar>::width;
    const Index panels = (units() + wide - 1) / wide;
    scratch.panels.resize(panels * rows * wide);
    Scalar* to = scratch.panels.data();
    for (Index panel = 0; panel < panels; ++panel) {
      const Index used = std::min(wide, units() - panel * wide);
      for (Index row = 0; row < rows; ++row, to += wide) {
        std::copy_n(dy(row) + panel * wide, used, to);
        std::fill(to + used, to + wide, Scalar(0));
      }
    }
    scratch.sums.resize(panels * inputs() * wide);
    scratch.sums.fill(0);
    for (Index start = 0; start < rows; start += outer_product_rows) {
      const Index depth = std::min(outer_product_rows, rows - start);
      pack_strips(
          depth, inputs(), false, [&](Index row) -> const Scalar* { return x(start + row); },
          scratch.strips);
      for (Index panel = 0; panel < panels; ++panel) {
        add_outer_product<Vectors>(
            static_cast<const Scalar*>(scratch.panels.data()) + (panel * rows + start) * wide,
            depth, inputs(), static_cast<const Scalar*>(scratch.strips.data()),
            scratch.sums.data() + panel * inputs() * wide);
      }
    }
    const Scalar* sum = scratch.sums.data();
    for (Index panel = 0; panel < panels; ++panel) {
      const Index used = std::min(wide, units() - panel * wide);
      for (Index k = 0; k < inputs(); ++k, sum += wide) {
        for (Index lane = 0; lane < used; ++lane) {
          gradient[k * stride + panel * wide + lane] += sum[lane];
        }
      }
    }
  }

  Index inputs_ = 0;
  Index units_ = 0;
  PackedMatrix<Scalar> weights_;
  DotRows<Scalar> dots_;
  PackedMatrix<Scalar> transposed_;
};

}  // namespace strata::detail::inline STRATA_TARGET
