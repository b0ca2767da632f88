#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <strata/contracts/feature_layer.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/layer.hpp>
#include <strata/initializers.hpp>
#include <strata/kernels/simd.hpp>
#include <strata/target.hpp>

namespace strata {

/// Options of a PReLU layer.
struct PReLUOptions {
  /// Draws alpha. Zeros as in Keras; PyTorch begins with Constant{0.25}.
  Initializer alpha_initializer = Zeros{};

  /// f(name, option) for each option in order.
  template <class Self, class F>
  static void each(Self& self, F f) {
    f("alpha_initializer", self.alpha_initializer);
  }
};

}  // namespace strata

namespace strata::inline STRATA_TARGET {

/// A ReLU whose slope below zero is learned (He et al. 2015): x above zero, alpha x below, with
/// alpha of (F). (B, F) to (B, F), (B, T, F) to (B, T, F), the same alpha for all steps: Keras'
/// PReLU with shared_axes=[1].
template <class Scalar = float, Index Features = Dynamic>
class PReLU : public detail::FeatureLayer<PReLU, Scalar, Features, PReLUOptions, 1> {
  using Base = detail::FeatureLayer<PReLU, Scalar, Features, PReLUOptions, 1>;
  using Base::features_;
  using typename Base::Row;
  using P = detail::Pack<Scalar>;

  static constexpr std::size_t alpha_place = 0;

 public:
  using typename Base::Tape;

  static constexpr const char* name = "PReLU";
  static constexpr LayerTraits traits{};

  explicit PReLU(PReLUOptions options = {})
      : Base(options, {{{.name = "alpha", .initializer = options.alpha_initializer}}}) {}

  struct Packed {
    Row alpha;

    void step(const Scalar* x, Scalar*, Scalar* y, WeightOrder) const noexcept {
      detail::transform(
          alpha.size(), y,
          [](P value, P slope) { return where_less(value, P::broadcast(0), slope * value, value); },
          x, alpha.data());
    }
  };

  void pack(Packed& packed, bool) const { this->copy_row(alpha_place, packed.alpha); }

  void backward(const Packed& packed, const Tensor<Scalar>& x, const Tensor<Scalar>&,
                Tensor<Scalar>& dy, Tape&, std::span<Scalar> gradient, Tensor<Scalar>* dx,
                const Pass<Scalar>&) const {
    if (dx) dx->resize(x.shape());
    const P zero = P::broadcast(0);
    for (Index at = 0; at < x.size(); at += features_) {
      const Scalar* const from = x.data() + at;
      const Scalar* const slope = std::as_const(dy).data() + at;
      detail::transform(
          features_, gradient.data(),
          [zero](P value, P d, P sum) {
            return where_less(value, zero, multiply_add(d, value, sum), sum);
          },
          from, slope, gradient.data());
      if (!dx) continue;
      detail::transform(
          features_, dx->data() + at,
          [zero](P value, P d, P alpha) { return where_less(zero, value, d, d * alpha); }, from,
          slope, packed.alpha.data());
    }
  }
};

PReLU()->PReLU<float>;
PReLU(PReLUOptions)->PReLU<float>;

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<PReLU<Scalar>> : HeldAs<HeldKind::prelu> {};

}  // namespace strata::detail
