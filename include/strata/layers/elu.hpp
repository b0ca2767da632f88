#pragma once

#include <strata/base/finite.hpp>
#include <strata/base/message.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/number_layer.hpp>
#include <strata/error.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of an ELU layer.
struct ELUOptions {
  /// The output far below zero is -alpha. 1 as in Keras, with which it is Activation::elu.
  double alpha = 1;

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("alpha", self.alpha);
  }
};

}  // namespace strata

namespace strata::detail::inline STRATA_TARGET {

/// ELU with its alpha, of a register of numbers.
template <class Scalar>
struct ExponentialLine {
  using P = Pack<Scalar>;

  P alpha = P::broadcast(0);

  ExponentialLine() = default;
  explicit ExponentialLine(const ELUOptions& options)
      : alpha(P::broadcast(static_cast<Scalar>(options.alpha))) {}

  [[nodiscard]] P value(P x) const {
    return where_less(P::broadcast(0), x, x, alpha * (below_zero(x) - P::broadcast(1)));
  }
  [[nodiscard]] P derivative(P x) const {
    return where_less(P::broadcast(0), x, P::broadcast(1), alpha * below_zero(x));
  }

 private:
  /// exp(x), and 1 from zero on, so that no exponential overflows.
  static P below_zero(P x) {
    const P zero = P::broadcast(0);
    return exp(where_less(zero, x, zero, x));
  }
};

}  // namespace strata::detail::inline STRATA_TARGET

namespace strata::inline STRATA_TARGET {

/// Keras' ELU layer (Clevert et al. 2016): x above zero, alpha (exp(x) - 1) below. (B, F) to (B,
/// F), (B, T, F) to (B, T, F).
///
///   ELU{{.alpha = 0.5}}
template <class Scalar = float>
class ELU : public detail::NumberLayer<ELU, Scalar, ELUOptions, detail::ExponentialLine<Scalar>> {
  using Base = detail::NumberLayer<ELU, Scalar, ELUOptions, detail::ExponentialLine<Scalar>>;

 public:
  static constexpr const char* name = "ELU";

  /// Throws ValueError on an alpha that is not finite.
  explicit ELU(ELUOptions options = {}) : Base(options) {
    if (!detail::is_finite(options.alpha)) {
      detail::fail<ValueError>({"ELU: alpha must be finite, found ", options.alpha});
    }
  }
};

ELU()->ELU<float>;
ELU(ELUOptions)->ELU<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<ELU<Scalar>> : HeldAs<HeldKind::elu> {};

}  // namespace strata::detail
