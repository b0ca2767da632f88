#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include <strata/base/finite.hpp>
#include <strata/contracts/held.hpp>
#include <strata/contracts/pooling_layer.hpp>
#include <strata/language/algorithms.hpp>
#include <strata/target.hpp>

namespace strata::inline STRATA_TARGET {

/// The largest value of each feature over the steps of a sequence, without masked steps: (B, T, F)
/// to (B, F). It is Keras' GlobalMaxPooling1D, which, however, knows no masks. The largest value of
/// a sequence whose steps are all masked is zero. The layer needs the whole sequence, so it cannot
/// stream.
template <class Scalar = float>
class MaxOverSteps : public detail::PoolingLayer<MaxOverSteps, Scalar> {
  using Base = detail::PoolingLayer<MaxOverSteps, Scalar>;

 public:
  using typename Base::Packed, typename Base::Tape;

  static constexpr const char* name = "MaxOverSteps";

  void forward(const Packed&, const Tensor<Scalar>& x, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    y.resize({x.batch(), x.features()});
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index f = 0; f < x.features(); ++f) {
        bool any = false;
        Scalar largest = 0;
        this->for_each_step(x, b, pass, [&](Index t) {
          const Scalar value = x(b, t, f);
          if (!any || value > largest || detail::is_nan(value)) largest = value;
          any = true;
        });
        y(b, f) = largest;
      }
    }
  }

  void forward(const Packed& packed, const Tensor<Scalar>& x, Tape&, Tensor<Scalar>& y,
               const Pass<Scalar>& pass) const {
    forward(packed, x, y, pass);
  }

  /// Steps with the same largest value share its derivative, as in Keras.
  void backward(const Packed&, const Tensor<Scalar>& x, const Tensor<Scalar>& y, Tensor<Scalar>& dy,
                Tape&, std::span<Scalar>, Tensor<Scalar>* dx, const Pass<Scalar>& pass) const {
    if (!dx) return;
    dx->resize(x.shape());
    detail::fill(dx->values(), Scalar(0));
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index f = 0; f < x.features(); ++f) {
        const auto for_each_largest = [&](auto visit) {
          this->for_each_step(x, b, pass, [&](Index t) {
            if (x(b, t, f) == y(b, f)) visit(t);
          });
        };
        Index count = 0;
        for_each_largest([&](Index) { ++count; });
        for_each_largest([&](Index t) {
          (*dx)(b, t, f) = std::as_const(dy)(b, f) / static_cast<Scalar>(count);
        });
      }
    }
  }
};

}  // namespace strata::inline STRATA_TARGET

namespace strata::detail {

template <class Scalar>
struct Held<MaxOverSteps<Scalar>> : HeldAs<HeldKind::max_over_steps> {};

}  // namespace strata::detail
