#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <strata/kernels/simd.hpp>
#include <strata/recurrent/carry.hpp>
#include <strata/recurrent/scan.hpp>
#include <strata/rows.hpp>
#include <strata/target.hpp>
#include <strata/tensor.hpp>

namespace strata::detail::inline STRATA_TARGET {

/// The outputs of a recurrent layer after each step, and the derivatives by them. A step that
/// counts outputs h. A step that does not count repeats the last output. Before the first step that
/// counts, the output is zeros whatever the initial state, as in Keras.
template <class Scalar>
class Outputs {
 public:
  struct Options {
    /// Whether the layer returns the outputs of all steps, (B, T, U), or of the last one, (B, U).
    bool sequences;
    /// Whether a step that does not count outputs zeros instead of the last output.
    bool zero_for_mask;
    /// Whether the sequences continue earlier ones, so that there is a last output from the start.
    bool continues;
  };

  Outputs(const Scan<Scalar>& scan, const Carry<Scalar>& carry, Options options)
      : scan_(scan),
        carry_(carry),
        options_(options),
        first_counted_(static_cast<std::size_t>(scan.batch), 0) {
    if (options.continues) return;
    for (Index b = 0; b < scan.batch; ++b) {
      Index& step = first_counted_[static_cast<std::size_t>(b)];
      while (step < scan.steps && !carry.counts(step, b)) ++step;
    }
  }

  /// Writes the outputs of a step, from the rows of h after it.
  void write(Index step, Tensor<Scalar>& y) const {
    if (!has_output(step)) return;
    for (Index b = 0; b < scan_.batch; ++b) {
      Scalar* const to = y.data() + place(step, b);
      if (is_h(step, b)) {
        std::copy_n(scan_.h_rows(step)(b), scan_.outputs, to);
      } else {
        std::fill_n(to, scan_.outputs, Scalar(0));
      }
    }
  }

  /// Adds the derivatives by the outputs of a step to dh, the derivatives by h after the step.
  void add_derivative(Index step, const Tensor<Scalar>& dy, Rows<Scalar> dh) const {
    if (!has_output(step)) return;
    for (Index b = 0; b < scan_.batch; ++b) {
      if (is_h(step, b)) add_scaled(scan_.outputs, Scalar(1), dy.data() + place(step, b), dh(b));
    }
  }

 private:
  [[nodiscard]] bool has_output(Index step) const noexcept {
    return options_.sequences || step == scan_.steps - 1;
  }
  /// Whether the output of a step is h after it, which Carry keeps over steps that do not count.
  [[nodiscard]] bool is_h(Index step, Index b) const noexcept {
    if (carry_.counts(step, b)) return true;
    return first_counted_[static_cast<std::size_t>(b)] <= step && !options_.zero_for_mask;
  }
  [[nodiscard]] Index place(Index step, Index b) const noexcept {
    return (options_.sequences ? b * scan_.steps + step : b) * scan_.outputs;
  }

  const Scan<Scalar>& scan_;
  const Carry<Scalar>& carry_;
  Options options_;
  std::vector<Index> first_counted_;
};

}  // namespace strata::detail::inline STRATA_TARGET
