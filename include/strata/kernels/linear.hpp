#pragma once

#include <strata/kernels/dot_rows.hpp>
#include <strata/kernels/product.hpp>
#include <strata/kernels/weight_gradients.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// y = x W + b for rows of numbers, with W (F, U) in C order and b (U). The arguments x, y, dx and
/// dy are functions: x(row) points to the numbers of that row.
template <class Scalar>
class Linear {
 public:
  /// Working memory of add_gradients.
  using Scratch = WeightGradientScratch<Scalar>;

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
    add_weight_gradients(rows, inputs(), units(), x, dy, kernel, stride, scratch);
  }

 private:
  /// Whether the units would leave most lanes of a register empty; each unit is then one dot
  /// product (DotRows).
  static constexpr bool are_few(Index units) noexcept { return 4 * units <= Pack<Scalar>::width; }

  Index inputs_ = 0;
  Index units_ = 0;
  PackedMatrix<Scalar> weights_;
  DotRows<Scalar> dots_;
  PackedMatrix<Scalar> transposed_;
};

}  // namespace strata::detail::inline STRATA_TARGET
