#pragma once

#include <strata/kernels/product.hpp>
#include <strata/kernels/weight_gradients.hpp>
#include <strata/target.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// A convolution over the steps of a sequence, y(t) = b + sum over taps k of x(t + k D) W(k), with
/// W (K, F, U) in C order, b (U), and a dilation of D steps between taps. The arguments x and y are
/// functions: x(t) points to the F numbers of step t, y(t) to the U numbers of an output.
template <class Scalar>
class Convolution {
 public:
  using Scratch = WeightGradientScratch<Scalar>;

  /// Only with `training` can apply_transposed be called.
  void pack(Index taps, Index inputs, Index units, Index dilation, const Scalar* kernel,
            const Scalar* bias, bool training) {
    taps_ = taps;
    inputs_ = inputs;
    units_ = units;
    dilation_ = dilation;
    weights_.pack(
        units, taps * inputs, [&](Index unit, Index k) { return kernel[k * units + unit]; },
        [&](Index unit) { return bias[unit]; });
    if (!training) return;
    transposed_.pack(inputs, taps * units, [&](Index input, Index k) {
      const Index tap = k / units;
      return kernel[(tap * inputs + input) * units + k % units];
    });
  }

  [[nodiscard]] Index inputs() const noexcept { return inputs_; }
  [[nodiscard]] Index units() const noexcept { return units_; }
  /// How many steps before the last one an output sees.
  [[nodiscard]] Index reach() const noexcept { return (taps_ - 1) * dilation_; }

  /// y(t) for t = 0 ... steps - 1, from x(0) ... x(steps - 1 + reach()).
  template <class X, class Y>
  void apply(Index steps, X x, Y y) const noexcept {
    multiply(
        weights_, steps, inputs_,
        [&](Index t, Index tap) -> const Scalar* { return x(t + tap * dilation_); }, y);
  }

  /// dx(s) for s = 0 ... steps - 1, where dy(t) are the derivatives by y(t), and zeros for t below
  /// 0 and behind the last output: dx(s) = sum over taps k of dy(s - k D) W(k)^T.
  template <class DY, class DX>
  void apply_transposed(Index steps, DY dy, DX dx) const noexcept {
    multiply(
        transposed_, steps, units_,
        [&](Index s, Index tap) -> const Scalar* { return dy(s - tap * dilation_); }, dx);
  }

  /// Adds the derivatives by W and, unless `bias` is null, by b over t = 0 ... steps - 1.
  template <class X, class DY>
  void add_gradients(Index steps, X x, DY dy, Scalar* kernel, Scalar* bias,
                     Scratch& scratch) const {
    for (Index tap = 0; tap < taps_; ++tap) {
      add_weight_gradients(
          steps, inputs_, units_, [&](Index t) { return x(t + tap * dilation_); }, dy,
          kernel + tap * inputs_ * units_, units_, scratch);
    }
    if (!bias) return;
    for (Index t = 0; t < steps; ++t) {
      const Scalar* const from = dy(t);
      for (Index unit = 0; unit < units_; ++unit) bias[unit] += from[unit];
    }
  }

 private:
  Index taps_ = 1;
  Index inputs_ = 0;
  Index units_ = 0;
  Index dilation_ = 1;
  PackedMatrix<Scalar> weights_;
  PackedMatrix<Scalar> transposed_;
};

}  // namespace strata::detail::inline STRATA_TARGET
