#pragma once

#include <cstddef>
#include <vector>

#include <strata/kernels/buffer.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/random.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/rows.hpp>
#include <strata/support/dropout_mask.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// Dropout of the inputs of a recurrent layer, and of h on its way into the cell: the same numbers
/// are dropped at every step of a sequence (Gal & Ghahramani 2016). It is part of a tape, and keeps
/// its memory from one batch to the next.
template <class Scalar>
class RecurrentDropout {
 public:
  struct Rates {
    double inputs = 0;
    double h = 0;
  };

  /// Draws the masks of a batch for x (B, T, F) and for h (B, T, U), U = `outputs`, and applies the
  /// mask of x.
  void draw(Rates rates, const Tensor<Scalar>& x, Index outputs, const Random& random) {
    rates_ = rates;
    features_ = x.features();
    outputs_ = outputs;
    if (rates.inputs > 0) {
      draw_dropout(x_mask_, x.batch() * features_, rates.inputs, random.fork(0));
      x_.resize(x.shape());
      multiply_by_x_mask(x, x_);
    }
    if (rates.h > 0) {
      draw_dropout(h_mask_, x.batch() * outputs, rates.h, random.fork(1));
      h_.resize(x.steps() * x.batch() * outputs);
    }
  }

  /// The x that the cell reads, with dropout.
  [[nodiscard]] const Scalar* inputs(const Tensor<Scalar>& x) const noexcept {
    return rates_.inputs > 0 ? x_.data() : x.data();
  }
  /// The h with dropout that the cell reads before each step, (T, B, U), or null without dropout.
  [[nodiscard]] const Scalar* h() const noexcept { return rates_.h > 0 ? h_.data() : nullptr; }

  /// Applies dropout to the h before a step; called before the cell takes the step.
  void drop_h(const Scan<Scalar>& scan, Index step) {
    if (rates_.h <= 0) return;
    const auto from = scan.h_carried(step);
    if (!from) return;
    Scalar* to = h_.data() + step * scan.batch * outputs_;
    const Scalar* mask = h_mask_.data();
    for (Index b = 0; b < scan.batch; ++b) {
      for (Index u = 0; u < outputs_; ++u) *to++ = from(b)[u] * *mask++;
    }
  }

  /// Turns dh, the derivatives by h with dropout, which the cell read, into the derivatives by h.
  void drop_derivative_by_h(Rows<Scalar> dh, Index batch) const {
    if (rates_.h <= 0) return;
    const Scalar* mask = h_mask_.data();
    for (Index b = 0; b < batch; ++b) {
      for (Index u = 0; u < outputs_; ++u) dh(b)[u] *= *mask++;
    }
  }
  /// The same for x.
  void drop_derivative_by_x(Tensor<Scalar>& dx) const {
    if (rates_.inputs > 0) multiply_by_x_mask(dx, dx);
  }

 private:
  void multiply_by_x_mask(const Tensor<Scalar>& from, Tensor<Scalar>& to) const {
    const Scalar* read = from.data();
    Scalar* write = to.data();
    for (Index b = 0; b < from.batch(); ++b) {
      for (Index t = 0; t < from.steps(); ++t, read += features_, write += features_) {
        transform(
            features_, write, [](Pack<Scalar> x, Pack<Scalar> factor) { return x * factor; }, read,
            x_mask_.data() + b * features_);
      }
    }
  }

  Rates rates_;
  Index features_ = 0;
  Index outputs_ = 0;
  Tensor<Scalar> x_;  ///< (B, T, F)
  Buffer<Scalar> h_;
  std::vector<Scalar> x_mask_;  ///< (B, F): 0 or 1 / (1 - rate)
  std::vector<Scalar> h_mask_;  ///< (B, U)
};

}  // namespace strata::detail::inline STRATA_TARGET
