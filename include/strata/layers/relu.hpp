#pragma once

#include <limits>
#include <optional>

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/number_layer.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a ReLU layer, with the names and defaults of Keras.
///
///   ReLU{{.negative_slope = 0.1}}      // LeakyReLU
struct ReLUOptions {
  /// The largest output; without it there is none. 6 is ReLU6.
  std::optional<double> max_value = {};
  /// The slope below the threshold. Keras' LeakyReLU has 0.3, PyTorch's 0.01.
  double negative_slope = 0;
  /// Above it the output is x.
  double threshold = 0;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("max_value", self.max_value);
    f("negative_slope", self.negative_slope);
    f("threshold", self.threshold);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// ReLU with its settings, of a register of numbers.
template <class Scalar>
struct RectifiedLine {
  using P = Pack<Scalar>;

  P largest = P::broadcast(0);
  P slope = P::broadcast(0);
  P threshold = P::broadcast(0);

  RectifiedLine() = default;
  explicit RectifiedLine(const ReLUOptions& options)
      : largest(P::broadcast(options.max_value ? static_cast<Scalar>(*options.max_value)
                                               : std::numeric_limits<Scalar>::infinity())),
        slope(P::broadcast(static_cast<Scalar>(options.negative_slope))),
        threshold(P::broadcast(static_cast<Scalar>(options.threshold))) {}

  [[nodiscard]] P value(P x) const {
    return where_less(threshold, x, where_less(largest, x, largest, x), slope * (x - threshold));
  }
  [[nodiscard]] P derivative(P x) const {
    const P zero = P::broadcast(0);
    const P inside = where_less(x, largest, P::broadcast(1), zero);
    // As for Activation::relu, the corner at zero belongs to the lower piece.
    return where_less(threshold, x, inside, slope);
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// Keras' ReLU layer: x from the threshold on, at most max_value, and negative_slope (x -
/// threshold) below the threshold. With a negative_slope it is LeakyReLU. (B, F) to (B, F), (B, T,
/// F) to (B, T, F).
template <class Scalar = float>
class ReLU : public detail::NumberLayer<ReLU, Scalar, ReLUOptions, detail::RectifiedLine<Scalar>> {
  using Base = detail::NumberLayer<ReLU, Scalar, ReLUOptions, detail::RectifiedLine<Scalar>>;

 public:
  static constexpr const char* name = "ReLU";

  /// Throws ValueError on an option that is not finite, a threshold below 0, and a max_value below
  /// the threshold.
  explicit ReLU(ReLUOptions options = {}) : Base(options) {
    for (const double one :
         {options.negative_slope, options.threshold, options.max_value.value_or(0)}) {
      if (!detail::is_finite(one)) {
        detail::fail<ValueError>({"ReLU: its options must be finite, found ", one});
      }
    }
    if (options.threshold < 0) {
      detail::fail<ValueError>({"ReLU: threshold must be at least 0, found ", options.threshold});
    }
    if (options.max_value && *options.max_value < options.threshold) {
      detail::fail<ValueError>({"ReLU: max_value must be at least the threshold, ",
                                options.threshold, ", found ", *options.max_value});
    }
  }
};

ReLU()->ReLU<float>;
ReLU(ReLUOptions)->ReLU<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<ReLU<Scalar>> : HeldAs<HeldKind::relu> {};

}  // namespace strata::detail
